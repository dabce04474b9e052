<?php
/**
 * Must-use plugin of the test stack: WordPress does not look for updates, which would log warnings and cost time without
 * a network. Everything else goes out as it would on a real site.
 */

foreach ( array( 'core', 'plugins', 'themes' ) as $stack_kind ) {
	add_filter(
		'pre_site_transient_update_' . $stack_kind,
		function () {
			return (object) array(
				'last_checked'    => time(),
				'version_checked' => wp_get_wp_version(),
				'updates'         => array(),
				'response'        => array(),
				'translations'    => array(),
				'no_update'       => array(),
				'checked'         => array(),
			);
		}
	);
}
add_filter(
	'pre_http_request',
	function ( $answer, $arguments, $url ) {
		$host = (string) wp_parse_url( $url, PHP_URL_HOST );
		if ( 'wordpress.org' !== substr( $host, -13 ) ) {
			return $answer;
		}
		return array(
			'headers'  => array(),
			'body'     => wp_json_encode(
				array_fill_keys( array( 'plugins', 'themes', 'translations', 'no_update', 'offers' ), array() ) + array(
					'recommended_version' => PHP_VERSION,
					'minimum_version'     => '7.4',
					'is_supported'        => true,
					'is_secure'           => true,
					'is_acceptable'       => true,
				)
			),
			'response' => array( 'code' => 200, 'message' => 'OK' ),
			'cookies'  => array(),
			'filename' => null,
		);
	},
	10,
	3
);
