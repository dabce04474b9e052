//! The document of a step: whether it may be sent and can be read to its end, before anything of it is sent. A body that
//! breaks off half way counts as a lost answer, and nobody could tell that from one that Tracker has taken.

use std::io::ErrorKind;

use super::deliver::Claimed;
use super::run::Runner;
use crate::codes::{Code, Coded};
use crate::ingest::files;
use crate::queue::job::Step;
use crate::submission::FilePart;
use crate::tracker::transport::DocumentSource;
use crate::vault::file::{SealedReader, SealedSource};
use crate::vault::{VaultError, place};

/// Opens a document anew for each try.
pub(super) type Opener = dyn Fn() -> Option<Box<dyn DocumentSource>>;

impl Runner<'_> {
    /// The document that a step sends, if it sends one; else why it cannot be sent.
    pub(super) fn source_of(&mut self, claimed: &Claimed, step: &Step) -> Result<Option<Box<Opener>>, Code> {
        let Some(ordinal) = step.file else { return Ok(None) };
        let file = claimed.job.files.iter().find(|file| file.ordinal == ordinal).ok_or(Code::FileLost)?;
        let refused = Code::from_number(file.refused);
        if let Some(code) = refused.filter(|code| *code != Code::FileType) {
            return Err(code);
        }
        let folder = self.store().files_dir().ok_or(Code::FileLost)?;
        let (ring, path, id) = (self.store().ring().clone(), folder.join(&file.stored), claimed.job.id.clone());
        let mut reader = SealedReader::open(&ring, &path, &id).map_err(|error| match error {
            VaultError::Io(io, _) => code_of(&io),
            _ => Code::FileLost,
        })?;
        reader.verify().map_err(|io| code_of(&io))?;
        if refused.is_some() {
            self.judge_again(claimed, file, &mut reader)?;
        }
        Ok(Some(Box::new(move || {
            SealedSource::new(&ring, &path, &id).ok().map(|source| Box::new(source) as Box<dyn DocumentSource>)
        })))
    }

    /// A kind that was not allowed when the file came in may be by now: that is what people are told to do.
    fn judge_again(&mut self, claimed: &Claimed, file: &FilePart, content: &mut SealedReader) -> Result<(), Code> {
        let judged = files::judge(&file.name, content, &self.settings.text("file_types")).refused;
        let number = judged.map_or(0, Code::number);
        if number != file.refused {
            let part = FilePart { refused: number, ..file.clone() };
            let (seq, id) = (claimed.job.seq, &claimed.job.id);
            self.store().judged(seq, id, &part).map_err(|error| error.code())?;
        }
        judged.map_or(Ok(()), Err)
    }
}

/// What the disk refuses now it may give later; what is gone, cut or changed is this file's own trouble.
fn code_of(error: &std::io::Error) -> Code {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Code::FileLost,
        _ => place::code_of_io(error),
    }
}
