//! The three operations over HTTP: from request to checked values, and from row to JSON.
//!
//! Reads run on the worker that has the request; writes are prepared here down to the last value and queued.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use rusqlite::Row;
use serde::Serialize;
use uuid::Uuid;

use crate::ids;
use crate::input::parse_new_link;
use crate::keys::{Keys, Role};
use crate::problem::Problem;
use crate::store;
use crate::writer::{Event, Outcome, Work, Writer};

const BODY_MAX_BYTES: usize = 64 * 1024;
const SOURCE: &str = "shortlink";

/// What every handler of one worker needs.
pub(crate) struct App {
    pub(crate) keys: Keys,
    pub(crate) writer: Writer,
    pub(crate) worker: usize,
}

/// The routes of one worker.
pub(crate) fn router(app: &'static App) -> Router {
    Router::new()
        .route("/links", post(create_link))
        .route("/links/{slug}", get(get_link))
        .route("/{slug}", get(follow_link))
        .with_state(app)
}

/// A link as the document's *Reference Interfaces* show it; times as RFC 3339, absent ones as null.
#[derive(Serialize)]
struct Link<'a> {
    id: Uuid,
    slug: &'a str,
    url: &'a str,
    owner_id: &'a str,
    visit_count: i64,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl<'a> Link<'a> {
    /// Reads the columns of `store::READ_LINK` where they lie.
    fn of_row(row: &'a Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: Uuid::from_bytes(row.get(0)?),
            slug: row.get_ref(1)?.as_str()?,
            url: row.get_ref(2)?.as_str()?,
            owner_id: row.get_ref(3)?.as_str()?,
            visit_count: row.get(4)?,
            expires_at: row.get::<_, Option<i64>>(5)?.map(timestamp),
            created_at: timestamp(row.get(6)?),
        })
    }
}

/// An event in the shape of CloudEvents 1.0.
#[derive(Serialize)]
struct CloudEvent<'a, Data> {
    specversion: &'static str,
    id: Uuid,
    source: &'static str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: Timestamp,
    datacontenttype: &'static str,
    data: Data,
}

#[derive(Serialize)]
struct LinkCreated<'a> {
    id: Uuid,
    slug: &'a str,
    url: &'a str,
    owner_id: &'a str,
}

#[derive(Serialize)]
struct LinkVisited<'a> {
    id: Uuid,
    slug: &'a str,
}

async fn create_link(State(app): State<&'static App>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let caller = app.keys.authenticate(&parts.headers)?;
    caller.require(&[Role::Member])?;
    let is_json = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().get(..16).is_some_and(|start| start.eq_ignore_ascii_case(b"application/json"))
    });
    if !is_json {
        return Err(Problem::new(415, "malformed", "Send application/json."));
    }
    let body = to_bytes(body, BODY_MAX_BYTES)
        .await
        .map_err(|_| Problem::new(413, "malformed", "The body is too large or broken off."))?;
    let input = parse_new_link(&body)?;

    let now = Timestamp::now();
    let now_micros = now.as_microsecond();
    if input.expires_at.is_some_and(|instant| instant <= now) {
        return Err(Problem::new(422, "expiry_in_past", "A link cannot expire in the past."));
    }
    let slug = match input.slug {
        Some(slug) => slug.into_owned(),
        None => ids::random_slug()?,
    };
    let link = Link {
        id: ids::uuid_v7(now_micros)?,
        slug: &slug,
        url: &input.url,
        owner_id: &caller.id,
        visit_count: 0,
        expires_at: input.expires_at,
        created_at: timestamp(now_micros),
    };
    let event = Event { id: ids::uuid_v7(now_micros)?, at_micros: now_micros };
    let data = LinkCreated { id: link.id, slug: link.slug, url: link.url, owner_id: link.owner_id };
    let event_data = event_json(&event, "link.created", data);
    let answer = json(&link)?;
    let location = HeaderValue::try_from(["/links/", &slug].concat()).map_err(|_| Problem::unavailable())?;
    let work = Work::Create {
        id: link.id,
        url: input.url.into_owned(),
        owner_id: caller.id.clone(),
        expires_at: input.expires_at.map(Timestamp::as_microsecond),
        slug,
        event,
        event_data,
    };
    match app.writer.submit(app.worker, work).await {
        Outcome::Created => Ok(respond(StatusCode::CREATED, header::LOCATION, location, answer)),
        Outcome::SlugTaken => Err(Problem::new(409, "slug_taken", "A link with this name exists.")),
        _ => Err(Problem::unavailable()),
    }
}

async fn get_link(
    State(app): State<&'static App>,
    Path(slug): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = app.keys.authenticate(request.headers())?;
    caller.require(&[Role::Member, Role::Admin])?;
    let answer = store::read_link(&slug, |row| {
        let link = Link::of_row(row)?;
        if link.owner_id != caller.id && !caller.is_admin() {
            return Ok(Err(Problem::new(403, "not_yours", "This link is another member's.")));
        }
        Ok(json(&link))
    })?;
    match answer {
        Some(body) => Ok(([JSON], body?).into_response()),
        None => Err(Problem::link_not_found()),
    }
}

async fn follow_link(State(app): State<&'static App>, Path(slug): Path<String>) -> Result<Response, Problem> {
    let now_micros = Timestamp::now().as_microsecond();
    let event = Event { id: ids::uuid_v7(now_micros)?, at_micros: now_micros };
    let work = Work::Follow { slug, visit_id: ids::uuid_v7(now_micros)?, event };
    match app.writer.submit(app.worker, work).await {
        Outcome::Redirect(url) => {
            let location = HeaderValue::try_from(url).map_err(|_| Problem::unavailable())?;
            Ok((StatusCode::FOUND, [(header::LOCATION, location)]).into_response())
        }
        Outcome::NotFound => Err(Problem::link_not_found()),
        Outcome::Expired => Err(Problem::new(410, "link_expired", "This link has expired.")),
        _ => Err(Problem::unavailable()),
    }
}

/// The outbox data of a visit; made by the writer, which alone knows the link's id.
pub(crate) fn visited_event(event: &Event, link_id: Uuid, slug: &str) -> String {
    event_json(event, "link.visited", LinkVisited { id: link_id, slug })
}

fn event_json(event: &Event, kind: &str, data: impl Serialize) -> String {
    let event = CloudEvent {
        specversion: "1.0",
        id: event.id,
        source: SOURCE,
        kind,
        time: timestamp(event.at_micros),
        datacontenttype: "application/json",
        data,
    };
    serde_json::to_string(&event).unwrap_or_default()
}

const JSON: (HeaderName, HeaderValue) = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));

fn json(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::with_capacity(320);
    serde_json::to_writer(&mut bytes, value).map_err(|_| Problem::unavailable())?;
    Ok(bytes)
}

fn respond(status: StatusCode, name: HeaderName, value: HeaderValue, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(JSON.0, JSON.1);
    response.headers_mut().insert(name, value);
    response
}

/// Stored times come from `Timestamp`s, so that none is out of its range.
fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
