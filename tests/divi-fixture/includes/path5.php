<?php
/**
 * The block module: what Divi 5 does with a post. It refuses to believe anything of the browser but the values: fields,
 * labels, conditions and options come from the saved form.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'init',
	function () {
		register_block_type(
			'divi/contact-form',
			array(
				'render_callback' => function ( $attributes ) {
					return divi_fixture_path5( strtoupper( $attributes['fixture'] ?? 'A' ) );
				},
			)
		);
	}
);

function divi_fixture_path5( string $letter ): string {
	static $forms = 0, $fields = 0, $outcomes = array();
	$number       = $forms++;
	$form         = divi_fixture_forms()[ $letter ];
	$uuid         = divi_fixture_quirk( 'empty_uid' ) || '' === $form['uuid'] ? md5( "default--divi/contact-form-{$number}--{$number}" ) : $form['uuid'];
	foreach ( $form['fields'] as $index => $field ) {
		$id                                    = strtolower( $field['id'] );
		$form['fields'][ $index ]['original']  = $id;
		$form['fields'][ $index ]['post_name'] = "et_pb_contact_{$number}_{$id}_{$fields}";
		++$fields;
	}
	$info = array(
		'contact_form_id'        => "et_pb_contact_form_{$uuid}",
		'contact_form_number'    => $number,
		'contact_form_unique_id' => $uuid,
		'module_slug'            => 'divi/contact-form',
		'post_id'                => divi_fixture_post_id(),
	);

	$outcome = array( 'error' => true, 'message' => '', 'fields' => array() );
	if ( divi_fixture_is_post() && isset( $_POST[ "_wpnonce-et-pb-contact-form-submitted-{$uuid}" ] ) ) {
		if ( isset( $outcomes[ $uuid ] ) && ! divi_fixture_quirk( 'double_fire' ) ) {
			$outcome = $outcomes[ $uuid ];
		} else {
			$outcome           = divi_fixture_path5_process( $form, $info, $uuid );
			$outcomes[ $uuid ] = $outcome;
		}
	}
	return divi_fixture_render( $form, $info, $uuid, "et-pb-contact-form-submit-{$uuid}", $outcome );
}

/**
 * Steps 3 to 9: nonce, captcha and spam, the fields, then the hook, and the mail after it.
 */
function divi_fixture_path5_process( array $form, array $info, string $uuid ): array {
	$nonce = $_POST[ "_wpnonce-et-pb-contact-form-submitted-{$uuid}" ];
	if ( ! is_string( $nonce ) || false === wp_verify_nonce( $nonce, "et-pb-contact-form-submit-{$uuid}" ) ) {
		return array( 'error' => true, 'message' => 'Please refresh the page and try again.', 'fields' => array() );
	}
	$message = '';
	if ( $form['captcha'] && ! $form['spam'] && ! divi_fixture_path5_captcha( $uuid ) ) {
		$message = 'You entered the wrong number in captcha.';
	}
	if ( divi_fixture_is_spam( $form ) ) {
		$message = 'You must be a human to submit this form.';
	}

	$values = array();
	foreach ( $form['fields'] as $index => $field ) {
		$values[ $index ] = divi_fixture_path5_value( $field );
	}
	$by_id  = array_combine( array_column( $form['fields'], 'original' ), $values );
	$fields = array();
	foreach ( $form['fields'] as $index => $field ) {
		if ( ! divi_fixture_shown( $field, $by_id ) ) {
			continue;
		}
		$refusal = divi_fixture_path5_refusal( $field, $values[ $index ] );
		if ( '' !== $refusal ) {
			$message = $refusal;
			continue;
		}
		$fields[ $field['original'] ] = divi_fixture_path5_entry( $field, $values[ $index ] );
	}

	$error = '' !== $message;
	divi_fixture_fire( $fields, $error, $info );
	if ( ! $error ) {
		$error   = ! divi_fixture_mail( $fields, $form['title'] );
		$message = $error ? 'The message could not be sent.' : 'Thanks for contacting us';
	}
	return array( 'error' => $error, 'message' => $message, 'fields' => $fields, 'no_form' => $error && 'The message could not be sent.' === $message );
}

function divi_fixture_path5_captcha( string $uuid ): bool {
	$numbers = array();
	foreach ( array( 'first_digit_', 'second_digit_', '' ) as $part ) {
		$number = $_POST[ "et_pb_contact_captcha_{$part}{$uuid}" ] ?? '';
		if ( ! is_numeric( $number ) ) {
			return false;
		}
		$numbers[] = (int) $number;
	}
	return $numbers[0] + $numbers[1] === $numbers[2];
}

/**
 * A string, or for checkboxes the list of what was ticked.
 *
 * @return string|array
 */
function divi_fixture_path5_value( array $field ) {
	$raw = $_POST[ $field['post_name'] ] ?? '';
	if ( 'checkbox' === $field['type'] ) {
		$ticked = is_string( $raw ) && '' !== $raw ? explode( ',', wp_unslash( $raw ) ) : array();
		return array_map(
			function ( $one ) {
				return divi_fixture_clean( rawurldecode( $one ), 'input' );
			},
			$ticked
		);
	}
	return divi_fixture_clean( divi_fixture_quirk( 'slashed_p5' ) ? $raw : wp_unslash( $raw ), $field['type'] );
}

/**
 * Why the value is refused, or an empty string.
 *
 * @param string|array $value
 */
function divi_fixture_path5_refusal( array $field, $value ): string {
	if ( '' === $value || array() === $value ) {
		return $field['required'] ? 'Please, fill in all required fields.' : '';
	}
	if ( 'email' === $field['type'] && ! is_email( $value ) ) {
		return 'Invalid email.';
	}
	$plain = divi_fixture_quirk( 'slashed_p5' ) && is_string( $value ) ? wp_unslash( $value ) : $value;
	if ( $field['options'] && array_diff( (array) $plain, $field['options'] ) ) {
		return 'Invalid option.';
	}
	$patterns = array( 'letters' => '/^[A-Za-z\s]*$/', 'numbers' => '/^[0-9\s]*$/', 'alphanumeric' => '/^[A-Za-z0-9\s]*$/' );
	$pattern  = $patterns[ $field['allowedSymbols'] ] ?? '';
	if ( '' !== $pattern && ! preg_match( $pattern, $value ) ) {
		return 'Invalid characters.';
	}
	$length = is_string( $value ) ? mb_strlen( $value ) : 0;
	if ( ( '' !== $field['minLength'] && $length < (int) $field['minLength'] )
		|| ( '' !== $field['maxLength'] && $length > (int) $field['maxLength'] ) ) {
		return 'Invalid length.';
	}
	return '';
}

/**
 * The ten keys of one field, in the order of the hook.
 *
 * @param string|array $value
 */
function divi_fixture_path5_entry( array $field, $value ): array {
	if ( is_array( $value ) && ( $value || ! divi_fixture_quirk( 'array_empty_checkbox' ) ) ) {
		$value = implode( ', ', $value );
	}
	return array(
		'id'               => $field['id'],
		'label'            => $field['label'],
		'type'             => $field['type'],
		'allowedSymbols'   => $field['allowedSymbols'],
		'maxLength'        => $field['maxLength'],
		'minLength'        => $field['minLength'],
		'isRequired'       => $field['required'],
		'conditionalLogic' => array(
			'enabled'  => (bool) $field['rules'],
			'matchAll' => (bool) $field['rules'],
			'rules'    => $field['rules'],
		),
		'value'            => $value,
		'options'          => $field['options'],
	);
}
