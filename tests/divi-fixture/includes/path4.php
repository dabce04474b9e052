<?php
/**
 * The shortcode module: what Divi 4 does with a post, and Divi 5 with pages that were not converted. It trusts the list
 * of fields that the browser sends and refuses the post only when that list differs from the form.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;

add_shortcode(
	'et_pb_contact_form',
	function ( $attributes ) {
		return divi_fixture_path4( strtoupper( $attributes['fixture'] ?? 'A' ) );
	}
);

function divi_fixture_path4( string $letter ): string {
	static $rendered = 0;
	$number          = $rendered++;
	$form            = divi_fixture_forms()[ $letter ];
	$uuid            = divi_fixture_quirk( 'empty_uid' ) ? '' : $form['uuid'];
	foreach ( $form['fields'] as $index => $field ) {
		$id                                    = '' === $field['id'] ? "field_{$number}_{$index}" : strtolower( $field['id'] );
		$form['fields'][ $index ]['original']  = $id;
		$form['fields'][ $index ]['post_name'] = "et_pb_contact_{$id}_{$number}";
	}
	$info = array(
		'contact_form_id'        => '' !== $form['css_id'] ? $form['css_id'] : "et_pb_contact_form_{$number}",
		'contact_form_number'    => $number,
		'contact_form_unique_id' => $uuid,
		'module_slug'            => 'et_pb_contact_form',
		'post_id'                => divi_fixture_post_id(),
	);

	$outcome  = array( 'error' => true, 'message' => '', 'fields' => array() );
	$nonce    = $_POST[ "_wpnonce-et-pb-contact-form-submitted-{$number}" ] ?? '';
	$nonce_ok = is_string( $nonce ) && false !== wp_verify_nonce( $nonce, 'et-pb-contact-form-submit' );
	$marker   = isset( $_POST[ "et_pb_contactform_submit_{$number}" ] );
	if ( $nonce_ok && $marker && empty( $_POST[ "et_pb_contact_et_number_{$number}" ] ) ) {
		$outcome = divi_fixture_path4_process( $form, $number );
	} elseif ( $marker && ! $nonce_ok ) {
		$outcome['message'] = 'Please refresh the page and try again.';
	}

	if ( ! $outcome['error'] ) {
		divi_fixture_mail( $outcome['fields'], $form['title'] );
		$outcome['message'] = 'Thanks for contacting us';
	}
	if ( $nonce_ok ) {
		divi_fixture_fire( $outcome['fields'], $outcome['error'], $info );
	}
	return divi_fixture_render( $form, $info, (string) $number, 'et-pb-contact-form-submit', $outcome );
}

/**
 * Steps 3 to 6: the list of the browser, captcha and spam, the fields one by one, the comparison with the form.
 */
function divi_fixture_path4_process( array $form, int $number ): array {
	$fields  = array();
	$message = '';
	$error   = false;
	$raw     = $_POST[ "et_pb_contact_email_fields_{$number}" ] ?? '';
	if ( ! is_string( $raw ) || '' === $raw ) {
		return array( 'error' => true, 'message' => 'Please, fill in all required fields.', 'fields' => array() );
	}
	$list = json_decode( str_replace( '\\', '', $raw ), true );
	$list = is_array( $list ) ? $list : array();

	if ( $form['captcha'] && ! $form['spam'] && empty( $_POST[ "et_pb_contact_captcha_{$number}" ] ) ) {
		$error   = true;
		$message = 'Make sure you entered the captcha.';
	}
	if ( divi_fixture_is_spam( $form ) ) {
		$error   = true;
		$message = 'You must be a human to submit this form.';
	}

	$seen = array();
	foreach ( $list as $entry ) {
		if ( ! isset( $entry['field_id'], $entry['original_id'], $entry['required_mark'], $entry['field_type'], $entry['field_label'] )
			|| "et_pb_contact_et_number_{$number}" === $entry['field_id'] ) {
			continue;
		}
		$required = 'required' === $entry['required_mark'];
		$seen[]   = array( $entry['field_type'], $entry['original_id'], $required );
		$value    = divi_fixture_clean( $_POST[ $entry['field_id'] ] ?? '', $entry['field_type'] );
		if ( $required && empty( $value ) && ! is_numeric( $value ) ) {
			$error   = true;
			$message = 'Please, fill in all required fields.';
			continue;
		}
		if ( 'email' === $entry['field_type'] && '' !== $value && $required && ! is_email( $value ) ) {
			$error   = true;
			$message = 'Invalid email.';
		}
		if ( ! $error ) {
			$fields[ strtolower( $entry['original_id'] ) ] = array( 'value' => $value, 'label' => $entry['field_label'] );
		}
	}

	if ( divi_fixture_path4_expected( $form, $number ) !== $seen ) {
		$error   = true;
		$message = '' === $message ? 'Invalid submission.' : $message;
	}
	return array( 'error' => $error, 'message' => $message, 'fields' => $fields );
}

/**
 * The list the browser should have sent. Only fields with conditions may be left out, and only when named as hidden.
 */
function divi_fixture_path4_expected( array $form, int $number ): array {
	$raw      = $_POST[ "et_pb_contact_email_hidden_fields_{$number}" ] ?? '';
	$hidden   = is_string( $raw ) ? json_decode( str_replace( '\\', '', $raw ), true ) : null;
	$hidden   = is_array( $hidden ) ? $hidden : array();
	$expected = array();
	foreach ( $form['fields'] as $field ) {
		if ( $field['rules'] && in_array( $field['original'], $hidden, true ) ) {
			continue;
		}
		$expected[] = array( $field['type'], $field['original'], $field['required'] );
	}
	return $expected;
}
