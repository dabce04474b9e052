<?php
/**
 * Keeps a web server from listing this folder; it holds nothing.
 *
 * @package halt-tracker
 */

declare(strict_types=1);

defined('ABSPATH') || exit;
