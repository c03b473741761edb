//! What an attempt changed: whole, or the files first and their hunks as they are read.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use divisi_engine::{DiffOptions, DiffScope as Scope, Point};
use divisi_model::image::MediaType;
use divisi_model::{AttemptId, Oid, TaskState};
use divisi_workspace::{BlobId, CommitId, DiffPath, RepoPath};

use super::find;
use super::images::SHOWN_ONLY;
use crate::problem::{Answer, ApiError, Asked, Body, Segment};
use crate::server::App;
use crate::types::{
    CommitView, DiffFileView, DiffQuery, DiffScope, DiffView, HunksRequest, LinesQuery, LinesView, Problem,
};

/// Most files whose hunks are read at once.
const FILES_AT_ONCE_MAX: usize = 200;
/// Most lines of a file that are read at once.
const LINES_AT_ONCE_MAX: u32 = 10_000;

/// What an attempt changed, with all hunks.
#[utoipa::path(get, path = "/v1/tasks/{handle}/diff", params(("handle" = String, Path), DiffQuery),
    responses((status = 200, body = DiffView), (status = 404, body = Problem)))]
pub(crate) async fn whole(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Asked(query): Asked<DiffQuery>,
) -> Answer<DiffView> {
    let (task, id, scope) = asked(&app, &handle, &query)?;
    let listed = app.engine.diff(id, scope).await?;
    Ok(Json(DiffView::of(listed, task.attempt(id.number))))
}

/// Which files an attempt changed, without hunks.
#[utoipa::path(get, path = "/v1/tasks/{handle}/diff/files", params(("handle" = String, Path), DiffQuery),
    responses((status = 200, body = DiffView), (status = 404, body = Problem)))]
pub(crate) async fn files(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Asked(query): Asked<DiffQuery>,
) -> Answer<DiffView> {
    let (_, id, scope) = asked(&app, &handle, &query)?;
    let options = DiffOptions { ignore_whitespace: query.ignore_whitespace, context: None };
    let listed = app.engine.diff_files(id, scope, options).await?;
    let (task, _) = find::attempt(&app, &handle)?;
    Ok(Json(DiffView::of(listed, task.attempt(id.number))))
}

/// The hunks of some files. A question that is too long for an address.
#[utoipa::path(post, path = "/v1/tasks/{handle}/diff/hunks", request_body = HunksRequest,
    params(("handle" = String, Path)),
    responses((status = 200, body = Vec<DiffFileView>), (status = 404, body = Problem)))]
pub(crate) async fn hunks(
    State(app): State<App>,
    Segment(handle): Segment<String>,
    Body(asked): Body<HunksRequest>,
) -> Answer<Vec<DiffFileView>> {
    let (task, number) = find::attempt(&app, &handle)?;
    if asked.files.len() > FILES_AT_ONCE_MAX {
        let message = format!("the hunks of at most {FILES_AT_ONCE_MAX} files are read at once");
        return Err(Problem::bad_input(message, "ask for the rest after that").into());
    }
    let commits = (commit(&asked.from)?, commit(&asked.to)?);
    let path = |text: &str| {
        let hint = "…/diff/files names every path";
        RepoPath::from_text(text)
            .filter(|path| !path.as_bytes().is_empty() && !path.as_bytes().contains(&0))
            .ok_or_else(|| Problem::bad_input(format!("{text} is no path"), hint))
    };
    let mut paths = Vec::new();
    for file in &asked.files {
        let old_path = file.old_path.as_deref().map(path).transpose()?;
        paths.push(DiffPath { path: path(&file.path)?, old_path });
    }
    let options = DiffOptions { ignore_whitespace: asked.ignore_whitespace, context: asked.context };
    let id = AttemptId { task: task.id, number };
    let files = app.engine.diff_some(id, commits, paths, options).await?;
    let attempt = task.attempt(number);
    Ok(Json(files.into_iter().map(|file| DiffFileView::of(file, attempt)).collect()))
}

/// The commits of the result, newest first.
#[utoipa::path(get, path = "/v1/tasks/{handle}/commits", params(("handle" = String, Path)),
    responses((status = 200, body = Vec<CommitView>), (status = 404, body = Problem)))]
pub(crate) async fn commits(
    State(app): State<App>,
    Segment(handle): Segment<String>,
) -> Answer<Vec<CommitView>> {
    let id = find::attempt_id(&app, &handle)?;
    let commits = app.engine.commits(id).await?;
    Ok(Json(commits.into_iter().map(CommitView::from).collect()))
}

/// A file by the name of its content, as it is. Only pictures are said to be what they are; all else is plain text, or
/// bytes without a meaning.
#[utoipa::path(get, path = "/v1/tasks/{handle}/blobs/{blob}",
    params(("handle" = String, Path), ("blob" = String, Path)),
    responses((status = 200, body = String, content_type = "application/octet-stream"),
        (status = 404, body = Problem)))]
pub(crate) async fn blob(
    State(app): State<App>,
    Segment((handle, blob)): Segment<(String, String)>,
) -> Result<Response, ApiError> {
    let bytes = read(&app, &handle, &blob).await?;
    let kind = kind_of(&bytes);
    let as_file = if kind == "application/octet-stream" { "attachment" } else { "inline" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, as_file),
        (header::CONTENT_SECURITY_POLICY, SHOWN_ONLY),
    ];
    Ok((headers, bytes).into_response())
}

/// Lines of a file, for who wants to see more around a change.
#[utoipa::path(get, path = "/v1/tasks/{handle}/blobs/{blob}/lines",
    params(("handle" = String, Path), ("blob" = String, Path), LinesQuery),
    responses((status = 200, body = LinesView), (status = 404, body = Problem)))]
pub(crate) async fn lines(
    State(app): State<App>,
    Segment((handle, blob)): Segment<(String, String)>,
    Asked(query): Asked<LinesQuery>,
) -> Answer<LinesView> {
    let bytes = read(&app, &handle, &blob).await?;
    let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let total = if bytes.is_empty() { 0 } else { whole.split(|b| *b == b'\n').count() };
    let first = query.first.max(1);
    let take = (query.last.saturating_add(1)).saturating_sub(first).min(LINES_AT_ONCE_MAX);
    let wanted = whole.split(|b| *b == b'\n').skip(first as usize - 1).take(take as usize);
    let lines = wanted.map(|line| String::from_utf8_lossy(line).into_owned());
    let lines = if total == 0 { Vec::new() } else { lines.collect() };
    Ok(Json(LinesView { first, lines, total: u32::try_from(total).unwrap_or(u32::MAX) }))
}

async fn read(app: &App, handle: &str, blob: &str) -> Result<Vec<u8>, ApiError> {
    let id = find::attempt_id(app, handle)?;
    let no_blob = |_| Problem::bad_input(format!("{blob} names no file"), "…/diff/files has their names");
    Ok(app.engine.file(id, BlobId::parse(blob).map_err(no_blob)?).await?)
}

/// What a browser may take bytes for: judged by the bytes, never by a name. A vector image can run script, so it is text.
fn kind_of(bytes: &[u8]) -> &'static str {
    if let Some(image) = MediaType::of(bytes) {
        return image.as_str();
    }
    match bytes.get(4..12) {
        Some(b"ftypavif" | b"ftypavis") => "image/avif",
        _ if !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn asked(
    app: &App,
    handle: &str,
    query: &DiffQuery,
) -> Result<(std::sync::Arc<TaskState>, AttemptId, Scope), ApiError> {
    let (task, number) = find::attempt(app, handle)?;
    let has_result = task.attempt(number).is_some_and(|attempt| attempt.result.is_some());
    let scope = match query.scope {
        DiffScope::Result if has_result => Scope::Result,
        DiffScope::Result | DiffScope::Live => Scope::Now,
        DiffScope::Turn => Scope::Turn(query.turn),
        DiffScope::Review => Scope::Review,
        DiffScope::Between => Scope::Between(point(&query.from)?, point(&query.to)?),
    };
    let id = AttemptId { task: task.id, number };
    Ok((task, id, scope))
}

/// `base`, `snapshot-3`, `result-3`, `landed`, `live` or a whole commit name.
fn point(text: &str) -> Result<Point, Problem> {
    let number = |text: &str| text.parse().ok();
    let found = match text {
        "base" => Some(Point::Base),
        "landed" => Some(Point::Landed),
        "live" => Some(Point::Now),
        _ => match text.split_once('-') {
            Some(("snapshot", turn)) => number(turn).map(Point::Snapshot),
            Some(("result", turn)) => number(turn).map(Point::Result),
            _ => commit(text).ok().map(Point::Commit),
        },
    };
    let hint = "base, snapshot-3, result-3, landed, live, or a commit of 40 digits";
    found.ok_or_else(|| Problem::bad_input(format!("nothing is called `{text}`"), hint))
}

fn commit(text: &str) -> Result<Oid, Problem> {
    let bad = |_| Problem::bad_input(format!("`{text}` names no commit"), "a commit has 40 digits");
    CommitId::parse(text).map(|commit| Oid(commit.to_string())).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_said_to_be_what_they_are() {
        let table: [(&[u8], &str); 8] = [
            (b"\x89PNG\r\n\x1a\n....", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            (b"\0\0\0\x1cftypavif", "image/avif"),
            (b"<svg onload=\"alert(1)\">", "text/plain; charset=utf-8"),
            (b"<html><script>", "text/plain; charset=utf-8"),
            (b"\xff\xfe", "application/octet-stream"),
            (b"", "text/plain; charset=utf-8"),
        ];
        for (bytes, kind) in table {
            assert_eq!(kind_of(bytes), kind, "{bytes:?}");
        }
    }

    #[test]
    fn points_are_called_by_name() {
        let commit = "a".repeat(40);
        assert_eq!(point("snapshot-3").unwrap(), Point::Snapshot(3));
        assert_eq!(point(&commit).unwrap(), Point::Commit(Oid(commit)));
        for bad in ["", "HEAD", "result-", "snapshot--1", "--all"] {
            assert!(point(bad).is_err(), "{bad}");
        }
    }
}
