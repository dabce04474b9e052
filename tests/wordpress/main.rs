//! The plugin and the extension on a real WordPress, end to end.
