<?php
/**
 * Plugin Name: Contact form fixture
 * Description: Test stand-in that processes posts like the contact forms of Divi 4 and 5. It holds no Divi code.
 * Version: 1.0
 *
 * This file exists so that the tests can post a form exactly as a visitor of a Divi page does and read which hook calls
 * the server made; it refuses to send mail: every wp_mail is answered here and only recorded.
 *
 * Reading back: wp-content/divi-fixture-events.jsonl, one event a line ("hook", "mail", "throw"), in the order of time.
 * Quirks: option `divi_fixture_quirks`, a list of the names that divi_fixture_quirk() is called with.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;

require_once __DIR__ . '/includes/forms.php';
require_once __DIR__ . '/includes/render.php';
require_once __DIR__ . '/includes/path4.php';
require_once __DIR__ . '/includes/path5.php';
require_once __DIR__ . '/includes/pages.php';

function divi_fixture_quirk( string $name ): bool {
	return in_array( $name, (array) get_option( 'divi_fixture_quirks', array() ), true );
}

function divi_fixture_events_file(): string {
	return WP_CONTENT_DIR . '/divi-fixture-events.jsonl';
}

/**
 * One line for one event. Values are also kept as PHP serialised them, because JSON cannot hold every byte and cannot
 * tell an empty list from an empty map.
 */
function divi_fixture_record( array $event ): void {
	static $request = null;
	$request        = $request ?? uniqid( '', true );
	$event         += array(
		'request'    => $request,
		'at'         => microtime( true ),
		'serialized' => base64_encode( serialize( $event ) ),
	);
	$line           = wp_json_encode( $event, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE );
	file_put_contents( divi_fixture_events_file(), $line . "\n", FILE_APPEND | LOCK_EX );
}

/**
 * The one place that fires the hook, with the three arguments of both paths.
 */
function divi_fixture_fire( array $fields, bool $error, array $info ): void {
	divi_fixture_record(
		array(
			'event'            => 'hook',
			'fields'           => $fields,
			'et_contact_error' => $error,
			'info'             => $info,
			'headers_sent'     => headers_sent(),
		)
	);
	do_action( 'et_pb_contact_form_submit', $fields, $error, $info );
}

/**
 * The mail of an accepted submission, behind the two filters that Divi applies just before it.
 */
function divi_fixture_mail( array $fields, string $title ): bool {
	$name    = (string) ( $fields['name']['value'] ?? '' );
	$address = (string) ( $fields['email']['value'] ?? '' );
	$to      = apply_filters( 'et_contact_page_email_to', get_option( 'admin_email' ) );
	$headers = apply_filters( 'et_contact_page_headers', array( "Reply-To: {$name} <{$address}>" ), $name, $address );
	$lines   = array();
	foreach ( $fields as $key => $field ) {
		$lines[] = $key . ': ' . ( is_array( $field['value'] ) ? implode( ', ', $field['value'] ) : $field['value'] );
	}
	$GLOBALS['divi_fixture_mailing'] = true;
	$sent                            = wp_mail( $to, 'Message from ' . $title, implode( "\n", $lines ), $headers );
	$GLOBALS['divi_fixture_mailing'] = false;
	return (bool) $sent;
}

add_filter(
	'pre_wp_mail',
	function ( $answer, $mail ) {
		divi_fixture_record(
			array(
				'event'   => 'mail',
				'by'      => empty( $GLOBALS['divi_fixture_mailing'] ) ? 'site' : 'form',
				'to'      => $mail['to'],
				'subject' => $mail['subject'],
				'message' => $mail['message'],
			)
		);
		return ! ( divi_fixture_quirk( 'mail_fail' ) && ! empty( $GLOBALS['divi_fixture_mailing'] ) );
	},
	PHP_INT_MAX,
	2
);

// Another plugin's callback that dies: after ours, or (second name) before it.
foreach ( array( 'throwing_consumer' => 1000, 'throwing_consumer_first' => 1 ) as $divi_fixture_name => $divi_fixture_priority ) {
	add_action(
		'et_pb_contact_form_submit',
		function () use ( $divi_fixture_name ) {
			if ( divi_fixture_quirk( $divi_fixture_name ) ) {
				divi_fixture_record( array( 'event' => 'throw' ) );
				throw new RuntimeException( 'fixture: this consumer throws' );
			}
		},
		$divi_fixture_priority,
		3
	);
}

// An SEO plugin that renders the content once in the head and throws it away.
add_action(
	'wp_head',
	function () {
		if ( is_singular() && divi_fixture_quirk( 'early_render' ) ) {
			apply_filters( 'the_content', get_queried_object()->post_content );
		}
	}
);

// The upload add-on that removes its temporary files when PHP shuts down.
add_action(
	'shutdown',
	function () {
		if ( ! divi_fixture_quirk( 'delete_uploads' ) || 'POST' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			return;
		}
		foreach ( glob( wp_upload_dir()['basedir'] . '/cfefd-uploads/tmp/*' ) as $file ) {
			unlink( $file );
		}
	},
	PHP_INT_MAX
);
