<?php
/**
 * The HTML of a form: container, message, inputs, as much of it as browsers and other plugins look at.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;

/**
 * The queried post, as Divi reports it; false where the request has none.
 *
 * @return int|false
 */
function divi_fixture_post_id() {
	return is_singular() ? get_queried_object_id() : false;
}

/**
 * @param string $suffix  What ends the names of the form's own inputs: its number, or its unique id.
 * @param array  $outcome error, message, and no_form where the form is not shown again.
 */
function divi_fixture_render( array $form, array $info, string $suffix, string $action, array $outcome ): string {
	$message = '';
	if ( '' !== $outcome['message'] ) {
		$message = sprintf( '<p%s>%s</p>', $outcome['error'] ? ' class="et_pb_contact_error_text"' : '', esc_html( $outcome['message'] ) );
	}
	$html = sprintf(
		'<div id="%s" class="et_pb_contact_form_container" data-form_unique_num="%d" data-form_unique_id="%s" data-fixture-path="%d">' .
			'<h2>%s</h2><div class="et-pb-contact-message">%s</div>',
		esc_attr( '' !== $form['css_id'] ? $form['css_id'] : $info['contact_form_id'] ),
		$info['contact_form_number'],
		esc_attr( $info['contact_form_unique_id'] ),
		'divi/contact-form' === $info['module_slug'] ? 5 : 4,
		esc_html( $form['title'] ),
		$message
	);
	if ( $outcome['error'] && empty( $outcome['no_form'] ) ) {
		$inputs = '';
		foreach ( $form['fields'] as $field ) {
			$inputs .= divi_fixture_input( $field );
		}
		if ( $form['captcha'] ) {
			$inputs .= divi_fixture_captcha( $suffix );
		}
		$html .= sprintf(
			'<form class="et_pb_contact_form" method="post" action="%s">%s' .
				'<input type="hidden" value="et_contact_proccess" name="et_pb_contactform_submit_%s">' .
				'<button type="submit" class="et_pb_contact_submit">Submit</button>%s</form>',
			esc_url( home_url( add_query_arg( array() ) ) ),
			$inputs,
			esc_attr( $suffix ),
			wp_nonce_field( $action, "_wpnonce-et-pb-contact-form-submitted-{$suffix}", true, false )
		);
	}
	return $html . '</div>';
}

function divi_fixture_captcha( string $suffix ): string {
	return sprintf(
		'<p>1 + 1 = <input type="hidden" name="et_pb_contact_captcha_first_digit_%1$s" value="1">' .
			'<input type="hidden" name="et_pb_contact_captcha_second_digit_%1$s" value="1">' .
			'<input type="text" name="et_pb_contact_captcha_%1$s"></p>',
		esc_attr( $suffix )
	);
}

function divi_fixture_input( array $field ): string {
	$data   = sprintf(
		'name="%s" data-required_mark="%s" data-field_type="%s" data-original_id="%s" data-label="%s"',
		esc_attr( $field['post_name'] ),
		$field['required'] ? 'required' : 'not_required',
		esc_attr( $field['type'] ),
		esc_attr( $field['original'] ),
		esc_attr( $field['label'] )
	);
	$id     = esc_attr( $field['post_name'] );
	$inside = sprintf( '<input type="text" id="%s" class="input" %s value="">', $id, $data );
	if ( 'text' === $field['type'] ) {
		$inside = sprintf( '<textarea id="%s" class="input" %s></textarea>', $id, $data );
	} elseif ( 'select' === $field['type'] ) {
		$inside = sprintf( '<select id="%s" class="input" %s><option value="">-- Please Select --</option>', $id, $data );
		foreach ( $field['options'] as $option ) {
			$inside .= sprintf( '<option value="%1$s">%1$s</option>', esc_attr( $option ) );
		}
		$inside .= '</select>';
	} elseif ( $field['options'] ) {
		$inside = 'checkbox' === $field['type'] ? sprintf( '<input type="hidden" class="et_pb_checkbox_handle" %s value="">', $data ) : '';
		foreach ( $field['options'] as $option ) {
			$inside .= sprintf(
				'<label><input type="%s" class="input" %s value="%s"> %s</label>',
				$field['type'],
				'radio' === $field['type'] ? $data : '',
				esc_attr( $option ),
				esc_html( $option )
			);
		}
	}
	$rules = $field['rules'] ? sprintf( ' data-conditional-logic="%s"', esc_attr( wp_json_encode( $field['rules'] ) ) ) : '';
	return sprintf( '<p class="et_pb_contact_field"%s><label for="%s">%s</label> %s</p>', $rules, $id, esc_html( $field['label'] ), $inside );
}
