//! Comments of reviews and git: what the lines say that a comment stands at, and where they stand in a newer result.

use std::collections::HashMap;

use divisi_model::comment::{CommentMove, Lines, Place, Side};
use divisi_model::event::AttemptResult;
use divisi_model::project::Project;
use divisi_model::{AttemptState, Oid, limits};
use divisi_workspace::{BlobId, Follow, Hub, RepoPath};

use crate::context::blocking;
use crate::repository::{commit_id, hub};
use crate::stage::StepError;
use crate::worker::{Attempt, Local};

/// Largest file that lines are quoted from, in bytes.
const QUOTED_BYTES: u64 = 16 << 20;

/// What lines of a file say, cut where it is long; empty where there is no such text.
pub(crate) async fn quote(
    local: &Local,
    project: Project,
    commit: Oid,
    file: String,
    lines: Lines,
) -> Result<String, StepError> {
    let local = local.clone();
    blocking(move || {
        let hub = hub(&local, &project).map_err(|error| StepError::of(&error))?;
        Ok(quoted(&hub, &commit, &file, lines).unwrap_or_default())
    })
    .await?
}

fn quoted(hub: &Hub, commit: &Oid, file: &str, lines: Lines) -> Option<String> {
    let (commit, path) = (commit_id(commit).ok()?, RepoPath::from_text(file)?);
    let (_, id) = hub.entry_at(&commit, &path).ok()??;
    let bytes = hub.blob(&BlobId::parse(&id).ok()?, QUOTED_BYTES).ok()??;
    let (skip, take) = (lines.first.checked_sub(1)?, lines.last.checked_sub(lines.first)?.saturating_add(1));
    let wanted = bytes.split(|b| *b == b'\n').skip(skip as usize).take(take as usize);
    let mut text = wanted.map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n");
    if text.len() > limits::QUOTE_BYTES {
        let end = (0..=limits::QUOTE_BYTES).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    Some(text)
}

/// Where the comments that were written before stand in a new result. One that cannot be followed stays where it was.
pub(crate) async fn follow(
    local: &Local,
    of: Attempt,
    result: AttemptResult,
) -> Result<Vec<CommentMove>, StepError> {
    let local = local.clone();
    blocking(move || {
        let attempt = of.state()?;
        if attempt.comments.iter().all(|comment| comment.now.is_none()) {
            return Ok(Vec::new());
        }
        let hub = hub(&local, &of.project).map_err(|error| StepError::of(&error))?;
        let mut steps = Steps { hub: &hub, open: HashMap::new() };
        let mut moves = Vec::new();
        for comment in attempt.comments.iter().filter(|comment| !comment.gone) {
            let Some(place) = &comment.now else { continue };
            let step = match place.side {
                Side::After => steps.after(comment.number, place, &result),
                Side::Before => steps.before(comment.number, place, attempt, &result),
            };
            match step {
                Ok(step) => moves.push(step),
                Err(StepError(why)) => {
                    tracing::warn!(comment = comment.number, why, "a comment is not followed")
                }
            }
        }
        Ok(moves)
    })
    .await?
}

/// The comparisons that comments are followed through, each made once.
struct Steps<'a> {
    hub: &'a Hub,
    open: HashMap<(Oid, Oid), Follow<'a>>,
}

impl<'a> Steps<'a> {
    fn between(&mut self, from: &Oid, to: &Oid) -> Result<&mut Follow<'a>, StepError> {
        let key = (from.clone(), to.clone());
        if !self.open.contains_key(&key) {
            let id = |oid: &Oid| commit_id(oid).map_err(|error| StepError::of(&error));
            let follow = Follow::open(self.hub, &id(from)?, &id(to)?);
            self.open.insert(key.clone(), follow.map_err(|error| StepError::of(&error))?);
        }
        self.open.get_mut(&key).ok_or_else(|| StepError("the comparison is gone".to_owned()))
    }

    fn carry(&mut self, place: &Place, to: &Oid) -> Result<(Option<Place>, bool), StepError> {
        let path = path_of(place)?;
        let lines = place.lines.map(|lines| (lines.first, lines.last));
        let followed =
            self.between(&place.commit, to)?.place(&path, lines).map_err(|error| StepError::of(&error))?;
        let hub = self.hub;
        let now = followed.place.map(|(path, lines)| {
            let (file, lines) = (path.to_string(), lines.map(|(first, last)| Lines { first, last }));
            let quote = lines.and_then(|lines| quoted(hub, to, &file, lines)).unwrap_or_default();
            Place { commit: to.clone(), file, side: place.side, lines, quote }
        });
        Ok((now, followed.touched))
    }

    fn after(
        &mut self,
        comment: u32,
        place: &Place,
        result: &AttemptResult,
    ) -> Result<CommentMove, StepError> {
        let (place, touched) = self.carry(place, &result.commit)?;
        Ok(CommentMove { comment, place, touched })
    }

    /// Lines as they were before the change are touched when something else became of them than in the last result.
    fn before(
        &mut self,
        comment: u32,
        place: &Place,
        attempt: &AttemptState,
        result: &AttemptResult,
    ) -> Result<CommentMove, StepError> {
        let (now, _) = self.carry(place, &result.base)?;
        let last = attempt.result.as_ref().map(|last| last.commit.clone());
        let then = last.map_or(Ok(None), |last| self.became(place, &last).map(Some))?;
        let became = now.as_ref().map_or(Ok(None), |now| self.became(now, &result.commit).map(Some))?;
        Ok(CommentMove { comment, place: now, touched: then.is_some() && then != became })
    }

    fn became(&mut self, place: &Place, to: &Oid) -> Result<Vec<Vec<String>>, StepError> {
        let path = path_of(place)?;
        let (first, last) = place.lines.map_or((1, u32::MAX / 2), |lines| (lines.first, lines.last));
        let became = self.between(&place.commit, to)?.became(&path, first, last);
        became.map_err(|error| StepError::of(&error))
    }
}

fn path_of(place: &Place) -> Result<RepoPath, StepError> {
    RepoPath::from_text(&place.file).ok_or_else(|| StepError(format!("{} is no path", place.file)))
}
