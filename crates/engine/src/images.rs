//! Images of prompts: stored once by their hash below the data folder, and given to agents.
//!
//! An image is put here before the task or message that names it. One that nothing refers to in the end goes away: the
//! oldest of them when there are too many, and all that are old when the engine starts.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use divisi_agent::acp::{PartImage, PromptPart};
use divisi_model::decide::too_large;
use divisi_model::event::{Origin, Prompt};
use divisi_model::image::{Given, GivenImage, Image, ImageHash, MediaType, name_of};
use divisi_model::transcript::EntryBody;
use divisi_model::{AttemptId, AttemptState, Refusal, TaskState, limits};
use divisi_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::authority::{internal, with_sources};
use crate::context::{Context, blocking};
use crate::stage::StepError;

/// Where they are, below the data folder.
pub(crate) const IMAGES: &str = "images";
/// Where those lie that an attempt is given as files, below the data folder. It sees this folder, and cannot write it.
const GIVEN: &str = "given";
/// How many entries of a transcript are read at once.
const ENTRIES_AT_ONCE: usize = 500;
/// How long an image is kept that nothing refers to.
const WAITING_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// An image that somebody names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedImage {
    /// The hash under which it was stored.
    pub hash: ImageHash,
    /// What its file was called.
    pub name: String,
}

/// Stores an image; the same bytes are stored once.
pub(crate) async fn store(context: &Context, bytes: Vec<u8>, name: &str) -> Result<Image, Refusal> {
    let name = name_of(name);
    let Some(media_type) = MediaType::of(&bytes) else {
        let message = format!("{name:?} is no image that is taken");
        return Err(Refusal::bad_input(message, "PNG, JPEG, GIF and WebP are"));
    };
    if bytes.len() > limits::IMAGE_BYTES {
        return Err(too_large(&name));
    }
    let hash = hash_of(&bytes)?;
    let image = Image { hash: hash.clone(), media_type, bytes: bytes.len() as u64, name };
    let (folder, used) = (context.path(IMAGES), used(context));
    let stored = blocking(move || {
        let path = folder.join(hash.as_str());
        if !touch(&path)? {
            make_room(&folder, &used)?;
            put(&folder, &path, &bytes)?;
        }
        io::Result::Ok(())
    });
    let stored = stored.await.map_err(|error| internal(error.0))?;
    stored.map_err(|error| internal(format!("the image cannot be stored: {}", with_sources(&error))))?;
    Ok(image)
}

/// The images that somebody names, with what they are.
pub(crate) async fn named(context: &Context, named: Vec<NamedImage>) -> Result<Vec<Image>, Refusal> {
    let mut images = Vec::new();
    for NamedImage { hash, name } in named.into_iter().take(limits::IMAGES + 1) {
        let (media_type, bytes) = read(context, &hash).await?;
        images.push(Image { hash, media_type, bytes: bytes.len() as u64, name: name_of(&name) });
    }
    Ok(images)
}

/// An image's bytes, and what they are.
pub(crate) async fn read(context: &Context, hash: &ImageHash) -> Result<(MediaType, Vec<u8>), Refusal> {
    let path = context.path(IMAGES).join(hash.as_str());
    let read = blocking(move || touch(&path).and_then(|_| fs::read(path))).await;
    let gone = || Refusal::not_found("there is no such image", "give it again");
    let bytes = match read.map_err(|error| internal(error.0))? {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
        Err(error) => return Err(internal(format!("the image cannot be read: {error}"))),
    };
    MediaType::of(&bytes).map(|media_type| (media_type, bytes)).ok_or_else(gone)
}

/// How much of the images of one turn an agent is shown, in bytes.
pub(crate) fn room(takes_images: bool) -> u64 {
    if takes_images { limits::IMAGES_SHOWN_BYTES } else { 0 }
}

/// Prompts as an agent is given them: it is shown what there is `room` for, and gets the rest as files.
pub(crate) async fn parts(
    context: &Context,
    id: AttemptId,
    prompts: &[Prompt],
    room: &mut u64,
) -> Result<Vec<PromptPart>, StepError> {
    let mut parts = Vec::new();
    for prompt in prompts {
        let mut part = PromptPart::words(prompt.origin, prompt.text.as_str());
        let mut lost = Vec::new();
        for image in &prompt.images {
            let shown = image.bytes <= *room;
            match give(context, id, image, shown).await? {
                Some(given) => part.images.push(given),
                None => lost.push(format!("{:?}", image.name)),
            }
            *room -= if shown { image.bytes } else { 0 };
        }
        parts.push(part);
        if !lost.is_empty() {
            let text = format!("These images belong here, but were lost: {}", lost.join(", "));
            parts.push(PromptPart::words(Origin::Person, text));
        }
    }
    Ok(parts)
}

/// The images of all that an attempt was asked before its running turn, each once: those of the first prompt, which is
/// the task, and the newest.
pub(crate) fn before(attempt: &AttemptState) -> Vec<Image> {
    let turns = attempt.turns.iter().filter(|turn| turn.ended.is_some());
    let mut seen = BTreeSet::new();
    let mut images: Vec<Image> = turns
        .flat_map(|turn| turn.prompts.iter().flat_map(|prompt| &prompt.images))
        .filter(|image| seen.insert(image.hash.clone()))
        .cloned()
        .collect();
    if let Some(newest) = images.len().checked_sub(limits::IMAGES).filter(|at| *at > limits::IMAGES) {
        images.drain(limits::IMAGES..newest);
    }
    images
}

/// Makes the folder in which the agent with this private home finds the files that it is given. It has to be there before
/// the agent starts, so that it is seen.
pub(crate) fn furnish(home: &Path) -> io::Result<PathBuf> {
    let folder = given_beside(home)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Removes the folder of an attempt whose workspace is put away.
pub(crate) async fn put_away(context: &Context, id: AttemptId) -> Result<(), StepError> {
    let home = super::session::home(context, &*context.task(id)?, id.number);
    let removed = blocking(move || match fs::remove_dir_all(given_beside(&home)?) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    });
    removed.await?.map_err(|error| StepError::of(&error))
}

/// Gives an attempt again, at the same paths, what it was given as files before it was put away.
pub(crate) async fn bring_back(context: &Context, id: AttemptId) -> Result<(), StepError> {
    let task = context.task(id)?;
    if of_task(&task).next().is_none() {
        return Ok(());
    }
    let store = context.authority.store().clone();
    for image in blocking(move || given_as_files(&store, id)).await?.map_err(|error| StepError::of(&error))? {
        if give(context, id, &image, false).await?.is_none() {
            tracing::warn!(attempt = %id, image = %image.hash, "an image is lost");
        }
    }
    Ok(())
}

/// What an attempt was given as files, as its transcript says.
fn given_as_files(store: &Store, id: AttemptId) -> Result<Vec<Image>, StoreError> {
    let (mut images, mut after) = (Vec::new(), 0);
    loop {
        let page = store.entries(id, after, ENTRIES_AT_ONCE)?;
        let Some(last) = page.last() else { return Ok(images) };
        after = last.rev;
        for stored in page {
            let EntryBody::Prompt { images: given, .. } = stored.entry.body else { continue };
            let as_file = |image: &GivenImage| matches!(image.given, Given::File { .. });
            images.extend(given.into_iter().filter(as_file).map(|image| image.image));
        }
    }
}

/// The folder of the agent with this private home.
fn given_beside(home: &Path) -> io::Result<PathBuf> {
    let lost = || io::Error::other("the private home has no name");
    let (data, name) = (home.ancestors().nth(2).ok_or_else(lost)?, home.file_name().ok_or_else(lost)?);
    Ok(data.join(GIVEN).join(name))
}

/// Removes old images that nothing refers to.
pub(crate) async fn tidy(context: &Context) {
    let (folder, used) = (context.path(IMAGES), used(context));
    let tidied = blocking(move || {
        for (path, at) in waiting(&folder, &used)? {
            if at.elapsed().is_ok_and(|old| old > WAITING_MAX) {
                fs::remove_file(path)?;
            }
        }
        io::Result::Ok(())
    });
    if let Ok(Err(error)) = tidied.await {
        tracing::warn!(%error, "old images could not be removed");
    }
}

async fn give(
    context: &Context,
    id: AttemptId,
    image: &Image,
    shown: bool,
) -> Result<Option<PartImage>, StepError> {
    let home = super::session::home(context, &*context.task(id)?, id.number);
    let (images, wanted) = (context.path(IMAGES), image.clone());
    let given = blocking(move || {
        let bytes = match fs::read(images.join(wanted.hash.as_str())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        if shown {
            return Ok(Some((Given::Shown, base64(&bytes))));
        }
        let folder = furnish(&home)?;
        let path = folder.join(format!("{}.{}", &wanted.hash.as_str()[..16], wanted.media_type.ending()));
        put(&folder, &path, &bytes)?;
        io::Result::Ok(Some((Given::File { path: path.to_string_lossy().into_owned() }, String::new())))
    });
    let given = given.await?.map_err(|error| StepError::of(&error))?;
    Ok(given.map(|(given, data)| PartImage { given: GivenImage { image: image.clone(), given }, data }))
}

/// All that some task refers to.
fn used(context: &Context) -> BTreeSet<ImageHash> {
    context.authority.tasks().iter().flat_map(|task| of_task(task)).collect()
}

/// All that a task refers to.
pub(crate) fn of_task(task: &TaskState) -> impl Iterator<Item = ImageHash> {
    let prompts = |a: &'_ AttemptState| -> Vec<_> {
        let given = a.turns.iter().flat_map(|turn| &turn.prompts);
        a.queue.iter().chain(given).flat_map(|prompt| prompt.images.clone()).collect()
    };
    let images = task.attempts.iter().flat_map(prompts).chain(task.spec.images.clone());
    images.map(|image| image.hash)
}

/// The images that nothing refers to, with the time at which they were last given.
fn waiting(folder: &Path, used: &BTreeSet<ImageHash>) -> io::Result<Vec<(PathBuf, SystemTime)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut waiting = Vec::new();
    for entry in entries {
        let entry = entry?;
        let hash = entry.file_name().into_string().ok().and_then(|name| name.parse::<ImageHash>().ok());
        if hash.is_some_and(|hash| !used.contains(&hash)) {
            waiting.push((entry.path(), entry.metadata()?.modified()?));
        }
    }
    Ok(waiting)
}

fn make_room(folder: &Path, used: &BTreeSet<ImageHash>) -> io::Result<()> {
    let mut waiting = waiting(folder, used)?;
    waiting.sort_by_key(|(_, at)| *at);
    let too_many = (waiting.len() + 1).saturating_sub(limits::IMAGES_WAITING);
    waiting.iter().take(too_many).try_for_each(|(path, _)| fs::remove_file(path))
}

/// Whether it is there; if so, it was given just now.
fn touch(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        file => file?.set_modified(SystemTime::now()).map(|()| true),
    }
}

/// Writes a file whole, and readable by its owner alone.
fn put(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

pub(crate) fn hash_of(bytes: &[u8]) -> Result<ImageHash, Refusal> {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.try_into().map_err(|_| internal("a checksum has another form".to_owned()))
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
