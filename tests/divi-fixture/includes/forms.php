<?php
/**
 * The forms of the fixture and their fields: the single place both paths read, so that a change reaches both.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;

/**
 * One field as the administrator typed it; the hook sees the lower-cased id.
 */
function divi_fixture_field( string $id, string $type, bool $required, string $label, array $more = array() ): array {
	return $more + array(
		'id'             => $id,
		'type'           => $type,
		'required'       => $required,
		'label'          => $label,
		'options'        => array(),
		'allowedSymbols' => '',
		'minLength'      => '',
		'maxLength'      => '',
		'rules'          => array(),
	);
}

/**
 * Every form by its letter. A, B and C are those of the fact sheet; D has the odd ids, E the file field of an upload
 * add-on, F is the small form that stands twice on a page.
 */
function divi_fixture_forms(): array {
	$name   = divi_fixture_field( 'Name', 'input', true, 'Name' );
	$email  = divi_fixture_field( 'Email', 'email', true, 'Email Address' );
	$form   = array( 'css_id' => '', 'captcha' => false, 'spam' => false );
	$colors = array( 'Red', 'Green, dark', "Bob's" );
	$budget = array( array( 'field' => 'topic', 'condition' => 'is', 'value' => 'Sales' ) );
	return array(
		'A' => $form + array(
			'uuid'   => '11111111-2222-4333-8444-555555555555',
			'title'  => 'Apply now',
			'admin'  => 'Application form',
			'fields' => array(
				$name,
				$email,
				divi_fixture_field( 'Message', 'text', true, 'Message' ),
				divi_fixture_field( 'Colors', 'checkbox', false, 'Colours', array( 'options' => $colors ) ),
				divi_fixture_field( 'Choice', 'radio', false, 'Choice', array( 'options' => array( 'Yes', "Don't know" ) ) ),
				divi_fixture_field( 'Topic', 'select', false, 'Topic', array( 'options' => array( 'Sales', 'R&D' ) ) ),
				divi_fixture_field( 'Budget', 'input', true, 'Budget', array( 'rules' => $budget ) ),
			),
		),
		'B' => array( 'css_id' => 'my-form', 'captcha' => true ) + $form + array(
			'uuid'   => '99999999-2222-4333-8444-555555555555',
			'title'  => 'Contact us',
			'admin'  => 'Contact form',
			'fields' => array( $name, divi_fixture_field( 'Email', 'email', false, 'Email Address' ) ),
		),
		'C' => array( 'spam' => true ) + $form + array(
			'uuid'   => '33333333-2222-4333-8444-555555555555',
			'title'  => 'Guarded form',
			'admin'  => '',
			'fields' => array( $name ),
		),
		'D' => $form + array(
			'uuid'   => '',
			'title'  => '',
			'admin'  => '',
			'fields' => array(
				divi_fixture_field( 'Phone Number', 'input', false, 'Tel' ),
				divi_fixture_field( 'X', 'input', false, 'First' ),
				divi_fixture_field( 'X', 'input', false, 'Second' ),
				divi_fixture_field( '', 'input', false, 'No id' ),
			),
		),
		'E' => $form + array(
			'uuid'   => '55555555-2222-4333-8444-555555555555',
			'title'  => 'Apply with a CV',
			'admin'  => 'Application with CV',
			'fields' => array( $name, $email, divi_fixture_field( 'CV', 'input', false, 'Your CV' ) ),
		),
		'F' => $form + array(
			'uuid'   => '77777777-2222-4333-8444-555555555555',
			'title'  => 'Twice',
			'admin'  => '',
			'fields' => array( $name ),
		),
	);
}

/**
 * True when the field is shown, given the values of the others (lower-cased id to list or string).
 */
function divi_fixture_shown( array $field, array $values ): bool {
	foreach ( $field['rules'] as $rule ) {
		$value = $values[ $rule['field'] ] ?? '';
		if ( ! in_array( $rule['value'], (array) $value, true ) ) {
			return false;
		}
	}
	return true;
}

/**
 * The sanitiser and the trim of both paths; an array in place of a text comes out empty.
 */
function divi_fixture_clean( $value, string $type ): string {
	return trim( 'text' === $type ? sanitize_textarea_field( $value ) : sanitize_text_field( $value ) );
}

function divi_fixture_is_post(): bool {
	return 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' );
}

/**
 * The verdict of the spam service: nothing, or the word "spam", is spam.
 */
function divi_fixture_is_spam( array $form ): bool {
	$token = isset( $_POST['token'] ) && is_string( $_POST['token'] ) ? $_POST['token'] : '';
	return $form['spam'] && ( '' === $token || 'spam' === $token );
}
