//! What attackers may try at the webhook, on disk and on the pages, and what they get.

