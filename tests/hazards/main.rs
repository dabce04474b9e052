//! What breaks around a live site: nothing may be lost.
