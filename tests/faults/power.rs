//! What a disk holds after power fails: what was synced, and of the rest any part. A file's content is durable as of its
//! last fsync; a name is durable as of the last fsync of its folder. Everything since then is kept or lost by sectors
//! and by names at random, and the last sector may be torn in its middle.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::dice::Dice;

/// What a disk writes at once, or not at all.
const SECTOR: usize = 512;

type Names = BTreeMap<String, u64>;

/// Watches what becomes durable.
pub struct Recorder {
    root: PathBuf,
    /// Durable contents by inode.
    files: BTreeMap<u64, Vec<u8>>,
    /// Durable names by folder.
    folders: BTreeMap<PathBuf, Names>,
    /// Made by the cut.
    pub image: Option<Image>,
}

/// The disk after the cut.
#[derive(Debug, Default)]
pub struct Image {
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// How many files differ from what the process had seen.
    pub lost: usize,
}

fn list(folder: &Path) -> BTreeMap<String, std::fs::Metadata> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.metadata().ok()?)));
    named.filter(|(name, _)| !name.ends_with("-shm")).collect()
}

fn inodes(folder: &Path) -> Names {
    list(folder).into_iter().map(|(name, about)| (name, about.ino())).collect()
}

impl Recorder {
    /// Takes what is there as durable.
    pub fn new(root: &Path) -> Self {
        let mut recorder =
            Self { root: root.to_owned(), files: BTreeMap::new(), folders: BTreeMap::new(), image: None };
        recorder.all_durable(root);
        recorder
    }

    fn all_durable(&mut self, folder: &Path) {
        for (name, about) in list(folder) {
            let path = folder.join(name);
            if about.is_dir() {
                self.all_durable(&path);
            } else {
                self.files.insert(about.ino(), std::fs::read(&path).unwrap_or_default());
            }
        }
        self.folders.insert(folder.to_owned(), inodes(folder));
    }

    /// An fsync of a file or folder went through.
    pub fn synced(&mut self, path: &Path) {
        let Ok(about) = std::fs::metadata(path) else { return };
        if about.is_dir() {
            self.folders.insert(path.to_owned(), inodes(path));
        } else {
            self.files.insert(about.ino(), std::fs::read(path).unwrap_or_default());
        }
    }

    /// Power fails now.
    pub fn cut(&mut self, seed: u64) {
        let mut dice = Dice::new(seed);
        let mut image = Image::default();
        let root = self.root.clone();
        self.cut_folder(&root, &mut dice, &mut image);
        self.image = Some(image);
    }

    fn cut_folder(&self, folder: &Path, dice: &mut Dice, image: &mut Image) {
        image.folders.push(folder.to_owned());
        let now = list(folder);
        let none = Names::new();
        let durable = self.folders.get(folder).unwrap_or(&none);
        // A journal may have carried the names further than the last fsync: all of them, some, or none.
        let mood = dice.below(3);
        for name in now.keys().chain(durable.keys()).collect::<std::collections::BTreeSet<_>>() {
            let (before, after) = (durable.get(name).copied(), now.get(name).map(MetadataExt::ino));
            let newer = before == after || mood == 0 || (mood == 1 && dice.below(2) == 0);
            let path = folder.join(name);
            match (newer, now.get(name)) {
                (true, Some(about)) if about.is_dir() => self.cut_folder(&path, dice, image),
                (true, Some(about)) => self.cut_file(&path, about.ino(), &path, dice, image),
                (true, None) => {}
                (false, _) => {
                    image.lost += 1;
                    let Some(inode) = before else { continue };
                    // The inode may have another name by now, or none: then only its durable content is known.
                    let elsewhere =
                        now.iter().find(|(_, about)| about.ino() == inode).map(|(name, _)| folder.join(name));
                    self.cut_file(&path, inode, &elsewhere.unwrap_or_default(), dice, image);
                }
            }
        }
    }

    fn cut_file(&self, path: &Path, inode: u64, content: &Path, dice: &mut Dice, image: &mut Image) {
        let durable = self.files.get(&inode).cloned().unwrap_or_default();
        let now = std::fs::read(content).unwrap_or_else(|_| durable.clone());
        if now == durable {
            image.files.push((path.to_owned(), durable));
            return;
        }
        image.lost += 1;
        let length = if dice.below(2) == 0 { now.len() } else { durable.len() };
        let mut bytes = durable.clone();
        bytes.resize(length, 0);
        // How much of the rest made it: little, half, or nearly all.
        let share = [5, 50, 95][dice.below(3) as usize];
        let mut last = None;
        for (at, sector) in bytes.chunks_mut(SECTOR).enumerate() {
            let fresh = now.get(at * SECTOR..).unwrap_or_default();
            let fresh = &fresh[..fresh.len().min(sector.len())];
            if *fresh != sector[..fresh.len()] && dice.below(100) < share {
                last = Some((at * SECTOR, sector.to_vec()));
                sector[..fresh.len()].copy_from_slice(fresh);
            }
        }
        if let (Some((at, old)), 0) = (last, dice.below(4)) {
            let torn = 1 + dice.below(old.len() as u64) as usize;
            bytes[at + torn.min(old.len())..at + old.len()].copy_from_slice(&old[torn.min(old.len())..]);
        }
        image.files.push((path.to_owned(), bytes));
    }
}

impl Image {
    /// Makes the folder what the disk holds.
    pub fn restore(&self, root: &Path) {
        for entry in std::fs::read_dir(root).expect("listed").flatten() {
            let path = entry.path();
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.expect("removed");
        }
        for folder in &self.folders {
            std::fs::create_dir_all(folder).expect("made");
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).expect("private");
        }
        for (path, bytes) in &self.files {
            std::fs::write(path, bytes).expect("written");
        }
    }
}
