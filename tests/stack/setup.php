<?php
/**
 * Runs once in each new instance of the test stack: makes a network where one is asked for, then activates the fixture
 * and the plugin. Called as "network" before WordPress knows of the network, and as "activate" afterwards.
 */

$stack_host             = getenv( 'STACK_HOST' );
$_SERVER['HTTP_HOST']   = $stack_host;
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['REMOTE_ADDR'] = '127.0.0.1';
require getenv( 'STACK_WORDPRESS' ) . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
add_filter( 'pre_wp_mail', '__return_true' );
wp_set_current_user( 1 );

if ( 'network' === getenv( 'STACK_STEP' ) ) {
	define( 'WP_INSTALLING_NETWORK', true );
	require_once ABSPATH . 'wp-admin/includes/network.php';
	foreach ( $wpdb->tables( 'ms_global' ) as $table => $prefixed ) {
		$wpdb->$table = $prefixed;
	}
	install_network();
	$result = populate_network( 1, $stack_host, 'admin@example.org', 'Test network', '/', false );
	if ( is_wp_error( $result ) && 'no_wildcard_dns' !== $result->get_error_code() ) {
		fwrite( STDERR, $result->get_error_message() );
		exit( 1 );
	}
	exit( 0 );
}

if ( is_multisite() && ! get_blog_details( 2 ) ) {
	$blog = wpmu_create_blog( $stack_host, '/second/', 'Second site', 1 );
	if ( is_wp_error( $blog ) ) {
		fwrite( STDERR, $blog->get_error_message() );
		exit( 1 );
	}
}
foreach ( array( 'divi-fixture', 'halt-tracker' ) as $folder ) {
	if ( ! is_dir( WP_PLUGIN_DIR . '/' . $folder ) ) {
		continue;
	}
	foreach ( array_keys( get_plugins( '/' . $folder ) ) as $file ) {
		$result = activate_plugin( $folder . '/' . $file, '', is_multisite() );
		if ( is_wp_error( $result ) ) {
			fwrite( STDERR, $folder . ': ' . $result->get_error_message() . ' ' . wp_json_encode( $result->get_error_data() ) );
			exit( 1 );
		}
	}
}
if ( is_multisite() ) {
	switch_to_blog( 2 );
	update_option( 'permalink_structure', '/%postname%/' );
	divi_fixture_make_pages();
	restore_current_blog();
}
flush_rewrite_rules( false );
