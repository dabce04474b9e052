//! Whether a folder may hold a store: private, owned by this process, on a disk whose locks can be trusted.
//! It makes the folder and refuses the rest; it never repairs what belongs to somebody else.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use crate::codes::Code;
use crate::queue::QueueError;

/// File systems of other machines, by the magic number of statfs(2): NFS, SMB, CIFS, SMB2, AFS, Ceph, 9p, FUSE.
/// FUSE is refused because sshfs and most bucket mounts are FUSE and nobody can tell them from a local one.
const NETWORK: &[u64] = &[0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x5346_414f, 0x00c3_6400, 0x0102_1997, 0x6573_5546];

/// Makes the folder if need be (0700), and checks that it may hold a store.
///
/// # Errors
/// `HT-1103` when another user owns it, `HT-1109` on a network disk, an I/O code when it cannot be used.
pub fn prepare(dir: &Path) -> Result<(), QueueError> {
    match std::fs::metadata(dir) {
        Ok(about) if !about.is_dir() => return Err(QueueError::plain(Code::StoreNotWritable, "not a folder")),
        Ok(about) => {
            let user = rustix::process::geteuid().as_raw();
            if about.uid() != user {
                let words = format!("owned by user {}, this process is user {user}", about.uid());
                return Err(QueueError::plain(Code::StoreOwner, words));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(dir).map_err(|error| QueueError::io(error, dir.display().to_string()))?;
        }
        Err(error) => return Err(QueueError::io(error, dir.display().to_string())),
    }
    let disk = rustix::fs::statfs(dir).map_err(|error| QueueError::io(error.into(), dir.display().to_string()))?;
    let kind = disk.f_type as u64 & 0xffff_ffff;
    if NETWORK.contains(&kind) {
        return Err(QueueError::plain(Code::StoreNetworkDisk, format!("file system {kind:x}")));
    }
    Ok(())
}

/// Makes a folder that only its owner enters, with every missing folder above it. Each name is synced: what is
/// acknowledged in a new folder must not go with the folder when power fails.
///
/// # Errors
/// The operating system's.
pub fn make_folder(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = dir.ancestors().take_while(|one| !one.exists()).collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        match folder.parent().map(File::open) {
            // A folder that may be written into and not read cannot be synced by us.
            Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Some(parent) => parent?.sync_all()?,
            None => {}
        }
    }
    Ok(())
}

/// Makes a rename or a new file in a folder durable.
///
/// # Errors
/// The operating system's.
pub fn sync_folder(dir: &Path) -> Result<(), QueueError> {
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| QueueError::io(error, dir.display().to_string()))
}

/// The code that explains an error of the operating system.
pub fn code_of_io(error: &io::Error) -> Code {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Code::StoreNotWritable,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::StoreFull,
        io::ErrorKind::ReadOnlyFilesystem => Code::StoreReadOnly,
        // ENFILE and EMFILE have no kind of their own.
        _ if matches!(error.raw_os_error(), Some(23 | 24)) => Code::StoreOpenFiles,
        _ => Code::StoreIo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_folder_is_private_and_a_file_is_no_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let dir = root.path().join("a/b");
        prepare(&dir).expect("made");
        let mode = std::fs::metadata(&dir).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let file = root.path().join("file");
        std::fs::write(&file, "x").expect("written");
        assert!(matches!(prepare(&file), Err(QueueError::Plain(Code::StoreNotWritable, _))));
    }

    #[test]
    fn operating_system_errors_have_codes_that_help() {
        let code = |number| code_of_io(&io::Error::from_raw_os_error(number));
        assert_eq!(code(28), Code::StoreFull);
        assert_eq!(code(30), Code::StoreReadOnly);
        assert_eq!(code(13), Code::StoreNotWritable);
        assert_eq!(code(24), Code::StoreOpenFiles);
        assert_eq!(code(5), Code::StoreIo);
    }
}
