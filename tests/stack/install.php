<?php
/**
 * Installs WordPress into an empty database for the template of the test stack, without a network and without mail.
 */

define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST']   = '127.0.0.1';
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
require getenv( 'STACK_WORDPRESS' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter( 'pre_wp_mail', '__return_true' );
add_filter(
	'pre_http_request',
	function () {
		return new WP_Error( 'stack', 'no requests while installing' );
	}
);
wp_install( 'Test site', getenv( 'STACK_USER' ), 'admin@example.org', true, '', getenv( 'STACK_PASSWORD' ) );
update_option( 'permalink_structure', '/%postname%/' );
update_option( 'timezone_string', 'Europe/Paris' );
echo 'installed';
