//! The key ring: one file a key, made once, never overwritten. It seals and opens values, makes keyed hashes,
//! and opens what the plugin sealed for it while the engine was away.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::key_file::{Written, files_of, fresh, later, read, unhex, write};
use super::{Aad, VaultError, random};
use crate::queue::open::hex;

/// The format byte of sealed values.
const FORMAT: u8 = 1;
const HEAD: usize = 1 + 8 + 24;

/// One key of the ring.
#[derive(Clone)]
struct RingKey {
    id: String,
    raw_id: [u8; 8],
    seal: Zeroizing<[u8; 32]>,
    hash: Zeroizing<[u8; 32]>,
    box_secret: Zeroizing<[u8; 32]>,
    box_public: [u8; 32],
    made_at: i64,
}

/// All keys of a site; the current one seals, every one opens.
#[derive(Clone)]
pub struct Ring {
    /// The first is the oldest: its hash key is the store's for ever.
    keys: Vec<RingKey>,
    current: usize,
    path: PathBuf,
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("ids", &self.ids()).finish_non_exhaustive()
    }
}

impl Ring {
    /// Opens the ring whose first file has the given path, with all later keys beside it. `None` when there
    /// is no key at all.
    ///
    /// # Errors
    /// `HT-1302` for a file that is there and is no key.
    pub fn open(path: &Path) -> Result<Option<Self>, VaultError> {
        let mut keys = Vec::new();
        for file in files_of(path)? {
            keys.push(RingKey::try_from(&read(&file)?)?);
        }
        if keys.is_empty() {
            return Ok(None);
        }
        // The first file's key comes first whatever its time says; later ones follow in the order they were made.
        let has_first = path.exists();
        let from = usize::from(has_first);
        if let Some(later) = keys.get_mut(from..) {
            later.sort_by(|one, other| one.made_at.cmp(&other.made_at).then(one.id.cmp(&other.id)));
        }
        let current = keys.len() - 1;
        Ok(Some(Self { keys, current, path: path.to_owned() }))
    }

    /// Makes the first key. When somebody else made it meanwhile, theirs is used.
    ///
    /// # Errors
    /// `HT-1302`, `HT-1305`, or an I/O code.
    pub fn create(path: &Path) -> Result<Self, VaultError> {
        if let Some(folder) = path.parent() {
            super::place::make_folder(folder).map_err(|error| VaultError::io(error, folder))?;
        }
        match write(path, &fresh(None)?) {
            Err(VaultError::Io(error, _)) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        Self::open(path)?.ok_or_else(|| VaultError::KeyFile("vanished after it was made".into()))
    }

    /// Makes a key beside a lost first one, so that bringing that one back overwrites nothing.
    ///
    /// # Errors
    /// `HT-1305`, or an I/O code.
    pub fn create_beside(path: &Path) -> Result<Self, VaultError> {
        let key = fresh(None)?;
        if let Some(folder) = path.parent() {
            super::place::make_folder(folder).map_err(|error| VaultError::io(error, folder))?;
        }
        write(&later(path, &key.id), &key)?;
        Self::open(path)?.ok_or_else(|| VaultError::KeyFile("vanished after it was made".into()))
    }

    /// Adds a key that seals from now on; its id. Hashes go on under the first one's hash key.
    ///
    /// # Errors
    /// `HT-1305`, or an I/O code.
    pub fn add_key(&mut self) -> Result<String, VaultError> {
        let newest = self.keys.iter().map(|key| key.made_at).max();
        let key = fresh(newest)?;
        write(&later(&self.path, &key.id), &key)?;
        let id = key.id.clone();
        self.keys.push(RingKey::try_from(&key)?);
        self.current = self.keys.len() - 1;
        Ok(id)
    }

    /// The ids of all keys, the oldest first.
    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| key.id.clone()).collect()
    }

    /// The id of the key that seals.
    pub fn current(&self) -> &str {
        self.keys.get(self.current).map_or("", |key| key.id.as_str())
    }

    /// Chooses the key that seals.
    ///
    /// # Errors
    /// `HT-1303` when the ring has no such key.
    pub fn set_current(&mut self, id: &str) -> Result<(), VaultError> {
        let at = self.keys.iter().position(|key| key.id == id).ok_or_else(|| VaultError::UnknownKey(id.to_owned()))?;
        self.current = at;
        Ok(())
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// `HT-1305` without randomness.
    pub fn seal(&self, aad: &Aad<'_>, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.keys.get(self.current).ok_or_else(|| VaultError::UnknownKey(String::new()))?;
        let mut nonce = [0; 24];
        random(&mut nonce)?;
        let payload = Payload { msg: plain, aad: &aad.bytes(&key.raw_id) };
        let sealed = key.cipher().encrypt(XNonce::from_slice(&nonce), payload).map_err(|_| VaultError::Unseal)?;
        let mut out = Vec::with_capacity(HEAD + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&key.raw_id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens a value at its place.
    ///
    /// # Errors
    /// `HT-1303` for an unknown key, `HT-1304` for anything changed.
    pub fn unseal(&self, aad: &Aad<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(VaultError::Unseal)?;
        let (Some(&FORMAT), Some(id), Some(nonce)) = (head.first(), head.get(1..9), head.get(9..HEAD)) else {
            return Err(VaultError::Unseal);
        };
        let key = self.by_raw_id(id)?;
        let payload = Payload { msg: body, aad: &aad.bytes(id) };
        key.cipher().decrypt(XNonce::from_slice(nonce), payload).map(Zeroizing::new).map_err(|_| VaultError::Unseal)
    }

    /// A keyed hash for look-ups. `domain` keeps hashes of different things apart.
    pub fn hash(&self, domain: &str, data: &[u8]) -> [u8; 32] {
        self.keys.first().map_or([0; 32], |key| key.hashed(domain, data))
    }

    /// The hash under every key: what was stored while the first one was away is found too.
    pub fn hashes(&self, domain: &str, data: &[u8]) -> Vec<[u8; 32]> {
        self.keys.iter().map(|key| key.hashed(domain, data)).collect()
    }

    /// The public half with which the plugin seals forms while the engine is away.
    pub fn box_public(&self) -> [u8; 32] {
        self.keys.get(self.current).map_or([0; 32], |key| key.box_public)
    }

    /// Opens a sealed box. Every key is tried when the named one is unknown: the name is outside the seal.
    ///
    /// # Errors
    /// `HT-1304` when no key opens it.
    pub fn open_box(&self, key_id: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let named = self.keys.iter().filter(|key| key.id == key_id);
        let others = self.keys.iter().filter(|key| key.id != key_id);
        for key in named.chain(others) {
            let secret = crypto_box::SecretKey::from(*key.box_secret);
            if let Ok(plain) = secret.unseal(sealed) {
                return Ok(Zeroizing::new(plain));
            }
        }
        Err(VaultError::Unseal)
    }

    /// The cipher and raw id of the current key, for files.
    pub(super) fn current_cipher(&self) -> Result<(XChaCha20Poly1305, [u8; 8]), VaultError> {
        let key = self.keys.get(self.current).ok_or_else(|| VaultError::UnknownKey(String::new()))?;
        Ok((key.cipher(), key.raw_id))
    }

    /// The cipher of a key, for files.
    pub(super) fn cipher_of(&self, raw_id: &[u8]) -> Result<XChaCha20Poly1305, VaultError> {
        self.by_raw_id(raw_id).map(RingKey::cipher)
    }

    fn by_raw_id(&self, id: &[u8]) -> Result<&RingKey, VaultError> {
        self.keys.iter().find(|key| key.raw_id == id).ok_or_else(|| VaultError::UnknownKey(hex(id)))
    }
}

impl RingKey {
    fn hashed(&self, domain: &str, data: &[u8]) -> [u8; 32] {
        use hmac::{Hmac, KeyInit as _, Mac};
        // HMAC takes keys of any length, so this arm is never the other one.
        let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(self.hash.as_slice()) else { return [0; 32] };
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(data);
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.seal.as_slice()))
    }
}

impl TryFrom<&Written> for RingKey {
    type Error = VaultError;

    fn try_from(written: &Written) -> Result<Self, VaultError> {
        let bad = |what: &str| VaultError::KeyFile(what.to_owned());
        let bytes = |text: &str, what: &str| -> Result<Zeroizing<[u8; 32]>, VaultError> {
            let raw = Zeroizing::new(BASE64.decode(text).map_err(|_| bad(what))?);
            <[u8; 32]>::try_from(raw.as_slice()).map(Zeroizing::new).map_err(|_| bad(what))
        };
        if written.v != 1 {
            return Err(bad("unknown version"));
        }
        let raw_id = unhex(&written.id).ok_or_else(|| bad("id"))?;
        let box_secret = bytes(&written.box_secret, "box_secret")?;
        let box_public = *crypto_box::SecretKey::from(*box_secret).public_key().as_bytes();
        if *bytes(&written.box_public, "box_public")? != box_public {
            return Err(bad("the two halves of the box key do not belong together"));
        }
        Ok(Self {
            id: written.id.clone(),
            raw_id,
            seal: bytes(&written.seal, "seal")?,
            hash: bytes(&written.hash, "hash")?,
            box_secret,
            box_public,
            made_at: written.made_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Aad<'static> = Aad { row: "one", column: "payload" };

    fn ring() -> (tempfile::TempDir, Ring) {
        let folder = tempfile::tempdir().expect("a folder");
        let ring = Ring::create(&folder.path().join("key.php")).expect("a ring");
        (folder, ring)
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_and_nowhere_else() {
        let (_folder, ring) = ring();
        let sealed = ring.seal(&PLACE, b"Ada").expect("sealed");
        assert_eq!(ring.unseal(&PLACE, &sealed).expect("opens").as_slice(), b"Ada");
        assert!(!sealed.windows(3).any(|part| part == b"Ada"));
        for place in [Aad { row: "two", ..PLACE }, Aad { column: "plan", ..PLACE }] {
            assert!(matches!(ring.unseal(&place, &sealed), Err(VaultError::Unseal)));
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(ring.unseal(&PLACE, &changed).is_err(), "byte {at}");
        }
        assert!(ring.unseal(&PLACE, b"").is_err());
    }

    #[test]
    fn a_value_that_says_it_is_of_another_key_does_not_open() {
        let (_folder, mut ring) = ring();
        let first = ring.current().to_owned();
        ring.add_key().expect("added");
        let sealed = ring.seal(&PLACE, b"Ada").expect("sealed");
        let mut renamed = sealed.clone();
        renamed[1..9].copy_from_slice(&unhex(&first).expect("an id"));
        assert!(matches!(ring.unseal(&PLACE, &renamed), Err(VaultError::Unseal)));
        // The id is bound, not only looked up: the same bytes for another id are other associated data.
        assert_ne!(PLACE.bytes(&sealed[1..9]), PLACE.bytes(&renamed[1..9]));
    }

    #[test]
    fn an_old_key_opens_after_a_new_one_seals_and_hashes_stay() {
        let (folder, mut ring) = ring();
        let old = ring.seal(&PLACE, b"Ada").expect("sealed");
        let hash = ring.hash("email", b"ada@example.org");
        let id = ring.add_key().expect("added");
        assert_eq!(ring.current(), id);
        let again = Ring::open(&folder.path().join("key.php")).expect("opens").expect("there");
        assert_eq!(again.current(), id);
        assert_eq!(again.unseal(&PLACE, &old).expect("opens").as_slice(), b"Ada");
        assert_eq!(again.hash("email", b"ada@example.org"), hash);
        assert_ne!(again.hash("word", b"ada@example.org"), hash);
    }

    #[test]
    fn a_lost_first_key_is_replaced_beside_its_place_and_fits_when_it_returns() {
        let (folder, ring) = ring();
        let path = folder.path().join("key.php");
        let sealed = ring.seal(&PLACE, b"Ada").expect("sealed");
        let kept = folder.path().join("kept");
        std::fs::rename(&path, &kept).expect("lost");
        let beside = Ring::create_beside(&path).expect("made");
        assert!(matches!(beside.unseal(&PLACE, &sealed), Err(VaultError::UnknownKey(_))));
        assert!(!path.exists());
        std::fs::rename(&kept, &path).expect("back");
        let both = Ring::open(&path).expect("opens").expect("there");
        assert_eq!(both.ids().len(), 2);
        assert_eq!(both.unseal(&PLACE, &sealed).expect("opens").as_slice(), b"Ada");
    }

    #[test]
    fn a_key_file_is_private_guarded_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let (folder, ring) = ring();
        let path = folder.path().join("key.php");
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("<?php exit; ?>\n"));
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        let second = Ring::create(&path).expect("the same");
        assert_eq!(second.ids(), ring.ids());
        std::fs::write(&path, "<?php exit; ?>\n{}\n").expect("broken");
        assert!(matches!(Ring::open(&path), Err(VaultError::KeyFile(_))));
    }

    #[test]
    fn a_sealed_box_opens_under_any_key_of_the_ring() {
        let (_folder, mut ring) = ring();
        let public = crypto_box::PublicKey::from(ring.box_public());
        let sealed = public.seal(&mut crypto_box::aead::OsRng, b"a form").expect("sealed");
        let id = ring.current().to_owned();
        ring.add_key().expect("added");
        assert_eq!(ring.open_box(&id, &sealed).expect("opens").as_slice(), b"a form");
        assert_eq!(ring.open_box("0000000000000000", &sealed).expect("opens").as_slice(), b"a form");
        assert!(ring.open_box(&id, b"something else").is_err());
    }
}
