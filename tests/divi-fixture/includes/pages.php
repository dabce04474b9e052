<?php
/**
 * The pages that hold the forms, so that tests reach them by the slugs of the vectors, and the endpoint that hands out
 * nonces: a test that replays a recorded post cannot scrape them from a page first.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;

/**
 * Slug to path and form letters.
 */
function divi_fixture_pages(): array {
	return array(
		'd4'     => array( 4, 'ABCD' ),
		'd5'     => array( 5, 'ABC' ),
		'd4dup'  => array( 4, 'AA' ),
		'd5dup'  => array( 5, 'FF' ),
		'd4file' => array( 4, 'E' ),
		'd5file' => array( 5, 'E' ),
	);
}

/**
 * The markup a page builder saves: a consumer reads titles and labels of forms from it.
 */
function divi_fixture_markup( int $path, string $letter ): string {
	$form = divi_fixture_forms()[ $letter ];
	if ( 4 === $path ) {
		$fields = '';
		foreach ( $form['fields'] as $field ) {
			$fields .= sprintf(
				'[et_pb_contact_field field_id="%s" field_title="%s" field_type="%s" required_mark="%s"][/et_pb_contact_field]',
				$field['id'],
				$field['label'],
				$field['type'],
				$field['required'] ? 'on' : 'off'
			);
		}
		return sprintf(
			'[et_pb_contact_form title="%s" admin_label="%s" module_id="%s" _unique_id="%s" captcha="%s" fixture="%s"]%s[/et_pb_contact_form]',
			$form['title'],
			$form['admin'],
			$form['css_id'],
			$form['uuid'],
			$form['captcha'] ? 'on' : 'off',
			$letter,
			$fields
		);
	}
	$saved      = function ( string $value ): array {
		return array( 'desktop' => array( 'value' => $value ) );
	};
	$attributes = array(
		'module'  => array(
			'advanced' => array( 'uniqueId' => $saved( $form['uuid'] ) ),
			'meta'     => array( 'adminLabel' => $saved( $form['admin'] ) ),
		),
		'title'   => array( 'innerContent' => $saved( $form['title'] ) ),
		'fixture' => $letter,
	);
	if ( '' !== $form['css_id'] ) {
		$attribute = array( 'name' => 'id', 'value' => $form['css_id'], 'targetElement' => 'main' );
		$attributes['module']['decoration']['attributes']['desktop']['value'] = array( 'attributes' => array( $attribute ) );
	}
	return '<!-- wp:divi/contact-form ' . serialize_block_attributes( $attributes ) . ' --><!-- /wp:divi/contact-form -->';
}

/**
 * Makes the pages that are missing. Run at activation; safe to run again, and on every site of a network.
 */
function divi_fixture_make_pages(): void {
	kses_remove_filters();
	foreach ( divi_fixture_pages() as $slug => list( $path, $letters ) ) {
		if ( get_page_by_path( $slug ) ) {
			continue;
		}
		$content = array();
		foreach ( str_split( $letters ) as $letter ) {
			$content[] = divi_fixture_markup( $path, $letter );
		}
		wp_insert_post(
			wp_slash(
				array(
					'post_type'    => 'page',
					'post_status'  => 'publish',
					'post_name'    => $slug,
					'post_title'   => "Page {$slug}",
					'post_content' => implode( "\n\n", $content ),
				)
			)
		);
	}
}
register_activation_hook( dirname( __DIR__ ) . '/divi-fixture.php', 'divi_fixture_make_pages' );

add_shortcode(
	'divi_fixture',
	function ( $attributes ) {
		$letter = strtoupper( $attributes['form'] ?? 'A' );
		return '5' === ( $attributes['path'] ?? '4' ) ? divi_fixture_path5( $letter ) : divi_fixture_path4( $letter );
	}
);

// Answers {"4": nonce, "5": {uuid: nonce}} for the visitor who asks; nonces of the first path serve every form.
add_action(
	'template_redirect',
	function () {
		if ( ! isset( $_GET['divi_fixture_nonce'] ) ) {
			return;
		}
		$nonces = array();
		foreach ( divi_fixture_forms() as $number => $form ) {
			$nonces[ $form['uuid'] ] = wp_create_nonce( 'et-pb-contact-form-submit-' . $form['uuid'] );
		}
		foreach ( range( 0, 5 ) as $number ) {
			$uuid            = md5( "default--divi/contact-form-{$number}--{$number}" );
			$nonces[ $uuid ] = wp_create_nonce( 'et-pb-contact-form-submit-' . $uuid );
		}
		wp_send_json(
			array(
				'4' => wp_create_nonce( 'et-pb-contact-form-submit' ),
				'5' => $nonces,
			)
		);
	},
	1
);

// Divi is a classic theme: head first, forms processed in the body. A block theme would render the body before the head.
add_filter(
	'template_include',
	function ( $template ) {
		$slug = get_queried_object() instanceof WP_Post ? get_queried_object()->post_name : '';
		return isset( divi_fixture_pages()[ $slug ] ) ? __DIR__ . '/template.php' : $template;
	}
);
