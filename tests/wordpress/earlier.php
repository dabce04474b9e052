<?php
/**
 * Stands in for the earlier plugin in tests: a class of its name, on the hooks that it used, with the table that it kept. Our own
 * code throughout; it does nothing but write down that it was called.
 */

if ( class_exists( 'Halt_Tracker_Plugin', false ) ) {
	return;
}

class Halt_Tracker_Plugin {
	const SHARED = array( 'admin_menu', 'admin_init', 'rest_api_init', 'et_pb_contact_form_submit', 'halt_tracker_process_queue', 'admin_post_halt_tracker_manual_sync', 'admin_post_halt_tracker_clear_lock' );
	const OWN    = array( 'admin_enqueue_scripts', 'admin_post_halt_tracker_sync_jobs', 'halt_tracker_sync_jobs', 'init' );

	public static function init() {
		static $one = null;
		$one = $one ?? new self();
		return $one;
	}

	private function __construct() {
		foreach ( array_merge( self::SHARED, self::OWN ) as $hook ) {
			add_action( $hook, array( $this, 'on_' . $hook ), 10, 2 );
		}
		add_filter( 'cron_schedules', array( $this, 'schedules' ) );
	}

	public function schedules( $all ) {
		$all['halt_tracker_five_minutes'] = array( 'interval' => 7777, 'display' => 'earlier' );
		return $all;
	}

	public function on_admin_init() {
		self::note( 'admin_init' );
		register_setting( 'halt_tracker', 'halt_tracker_client_secret', array( 'show_in_rest' => true ) );
	}

	public function on_rest_api_init() {
		self::note( 'rest_api_init' );
		register_rest_route( 'halt-tracker/v1', '/tracker-webhook', array( 'methods' => 'POST', 'callback' => '__return_true', 'permission_callback' => '__return_true' ) );
	}

	public function on_admin_menu() {
		self::note( 'admin_menu' );
		add_menu_page( 'Earlier page', 'Earlier page', 'read', 'halt-tracker', array( $this, 'on_page' ) );
	}

	public function __call( $name, $arguments ) {
		self::note( substr( $name, 3 ) );
	}

	private static function note( $what ) {
		$file = WP_CONTENT_DIR . '/earlier-calls.txt';
		file_put_contents( $file, $what . "\n", FILE_APPEND );
	}
}
