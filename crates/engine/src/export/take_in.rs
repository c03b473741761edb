//! Taking an export apart beside the place where it is to be, and holding every part against the manifest.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use divisi_model::image::{ImageHash, MediaType};
use serde::de::DeserializeOwned;

use super::copy;
use super::error::{ImportError, shown};
use super::layout::{self, Part};
use super::manifest::{ConfigurationFile, FORM, Header, Manifest, PartSum, SMALL_BYTES};
use crate::images::hash_of;

/// An export whose parts are all there and are those that were written.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) header: Header,
    pub(super) manifest: Manifest,
    pub(super) configuration: Vec<ConfigurationFile>,
    /// The names of what is remembered of workspaces.
    pub(super) workspaces: Vec<String>,
}

/// Where the parts go.
#[derive(Clone, Debug)]
pub(super) struct Folders {
    /// What becomes the data folder.
    pub(super) new: PathBuf,
    /// What it is made of.
    pub(super) parts: PathBuf,
}

impl Folders {
    /// The path of a part.
    pub(super) fn part(&self, name: &str) -> PathBuf {
        self.parts.join(name)
    }
}

/// Reads the file to its end. Only files with a name of an export are made, and only below these folders.
pub(super) fn take_in(path: &Path, folders: &Folders) -> Result<Taken, ImportError> {
    let open = |source| ImportError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(open)?;
    if !file.metadata().map_err(open)?.is_file() {
        return Err(ImportError::NotAnExport(path.to_owned()));
    }
    let mut parts =
        Reading { folders, names: HashSet::new(), header: None, manifest: None, found: Vec::new() };
    let read = copy::read(file, |name, from| parts.take(name, from));
    let sums = read.map_err(|error| match error.into() {
        ImportError::NotAnExport(_) => ImportError::NotAnExport(path.to_owned()),
        // Not even the first part could be read, so whatever it is, it is not ours.
        ImportError::Damaged(_) | ImportError::Foreign(_) if parts.header.is_none() => {
            ImportError::NotAnExport(path.to_owned())
        }
        ImportError::Open { source, .. } => open(source),
        other => other,
    })?;
    let Some(header) = parts.header else { return Err(ImportError::NotAnExport(path.to_owned())) };
    let Some(manifest) = parts.manifest else { return Err(ImportError::Cut) };
    compare(&manifest, &sums)?;
    let mut taken = Taken { header, manifest, configuration: Vec::new(), workspaces: Vec::new() };
    for (name, part) in parts.found {
        match part {
            Part::Configuration(path) => {
                let text = small(File::open(folders.part(&name)), &name)?;
                let text = String::from_utf8(text);
                let text = text.map_err(|_| ImportError::Damaged(format!("{name} is not text in UTF-8")))?;
                taken.configuration.push(ConfigurationFile { path, text });
            }
            Part::Workspace => taken.workspaces.push(name),
            _ => {}
        }
    }
    Ok(taken)
}

/// The export while it is read.
struct Reading<'a> {
    folders: &'a Folders,
    names: HashSet<String>,
    header: Option<Header>,
    manifest: Option<Manifest>,
    found: Vec<(String, Part)>,
}

impl Reading<'_> {
    fn take(&mut self, name: &str, from: &mut dyn Read) -> Result<(), ImportError> {
        let Some(part) = layout::part(name) else {
            return Err(ImportError::Foreign(format!("a part called {}", shown(name))));
        };
        if !self.names.insert(name.to_owned()) {
            return Err(ImportError::Foreign(format!("two parts called {}", shown(name))));
        }
        match (&part, &self.header) {
            (Part::Header, None) => {
                let header: Header = parse(&small(Ok(from), name)?, name)?;
                if header.divisi_export > FORM || is_newer(&header.divisi) {
                    let (form, made_by) = (header.divisi_export, header.divisi);
                    return Err(ImportError::Newer { form, made_by });
                }
                self.header = Some(header);
                return Ok(());
            }
            (Part::Header, Some(_)) | (_, None) => {
                return Err(ImportError::Foreign(format!("{} in the wrong place", shown(name))));
            }
            _ if self.manifest.is_some() => {
                return Err(ImportError::Foreign(format!("{} behind its end", shown(name))));
            }
            (Part::Manifest, _) => {
                self.manifest = Some(parse(&small(Ok(from), name)?, name)?);
                return Ok(());
            }
            _ => {}
        }
        let stays = matches!(part, Part::Launch | Part::Image(_));
        let folder = if stays { &self.folders.new } else { &self.folders.parts };
        write(&folder.join(name), from)?;
        if let Part::Image(hash) = &part {
            check_image(&folder.join(name), hash)?;
        }
        self.found.push((name.to_owned(), part));
        Ok(())
    }
}

fn compare(manifest: &Manifest, sums: &[PartSum]) -> Result<(), ImportError> {
    // The manifest itself is the last one, and does not name itself.
    let read = &sums[..sums.len().saturating_sub(1)];
    if let Some((expected, _)) = manifest.parts.iter().zip(read).find(|(expected, read)| expected != read) {
        return Err(ImportError::Damaged(format!("{} is not what was written", shown(&expected.name))));
    }
    match manifest.parts.len() == read.len() {
        true => Ok(()),
        false => Err(ImportError::Damaged("parts are missing".to_owned())),
    }
}

/// An image is what its name says, whatever the manifest claims.
fn check_image(path: &Path, hash: &ImageHash) -> Result<(), ImportError> {
    let bytes = fs::read(path).map_err(ImportError::io("read", path))?;
    if hash_of(&bytes).is_ok_and(|found| found == *hash) && MediaType::of(&bytes).is_some() {
        return Ok(());
    }
    Err(ImportError::Damaged(format!("the image {hash} is not what its name says")))
}

/// Writes a new file. What goes wrong with reading is told apart from what goes wrong with writing.
fn write(path: &Path, from: &mut dyn Read) -> Result<(), ImportError> {
    let folder = path.parent().unwrap_or(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(ImportError::io("make", folder))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(ImportError::io("write", path))?;
    let mut piece = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut piece).map_err(|error| ImportError::from(copy::broken(error)))?;
        if read == 0 {
            return Ok(());
        }
        file.write_all(&piece[..read]).map_err(ImportError::io("write", path))?;
    }
}

/// The bytes of a part that is read into memory.
pub(super) fn small(from: io::Result<impl Read>, name: &str) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    let from = from.map_err(|error| ImportError::from(copy::broken(error)))?;
    let read = from.take(SMALL_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| ImportError::from(copy::broken(error)))?;
    match bytes.len() as u64 > SMALL_BYTES {
        true => Err(ImportError::Damaged(format!("{name} is too large"))),
        false => Ok(bytes),
    }
}

/// Reads JSON out of a part.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, ImportError> {
    serde_json::from_slice(bytes).map_err(|_| ImportError::Damaged(format!("{name} cannot be understood")))
}

/// Whether a version is newer than this program's; one that is no version is not.
fn is_newer(version: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let plain = text.split(['-', '+']).next().unwrap_or_default();
        plain.split('.').map(|number| number.parse().unwrap_or(0)).collect()
    };
    numbers(version) > numbers(env!("CARGO_PKG_VERSION"))
}

/// Removes a folder that may not be there.
pub(super) fn remove(folder: &Path) -> Result<(), ImportError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ImportError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
