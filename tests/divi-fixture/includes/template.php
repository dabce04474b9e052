<?php
/**
 * The page around the forms, in the order of a classic theme: the head is sent before any form is processed, so that
 * consumers meet the same stage of the request as under Divi.
 *
 * @package Divi_Fixture
 */

defined( 'ABSPATH' ) || exit;
?>
<!DOCTYPE html>
<html <?php language_attributes(); ?>>
<head>
	<meta charset="<?php bloginfo( 'charset' ); ?>">
	<?php wp_head(); ?>
</head>
<body <?php body_class(); ?>>
<main>
<?php
while ( have_posts() ) {
	the_post();
	the_content();
}
?>
</main>
<p id="divi-fixture-end">End of the page</p>
<?php wp_footer(); ?>
<script><?php readfile( __DIR__ . '/form.js' ); ?></script>
</body>
</html>
