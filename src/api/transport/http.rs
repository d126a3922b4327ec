//! GraphQL over HTTP: POST and GET, answered once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, UPGRADE, VARY,
    WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;

use super::engine::Answer;
use super::errors::{Code, Fault};
use super::negotiate::{Media, negotiate, require_json};
use super::request::{Carrier, Params, RequestContext};
use super::{GraphQl, Shared, encode, errors, origin, socket, sse};

/// The one handler of `/graphql`: method, then headers, decide which carrier answers.
pub(super) async fn graphql<G: GraphQl>(
    State(shared): State<Arc<Shared<G>>>,
    request: Request,
) -> Response {
    let origin = origin::listed_origin(request.headers(), &shared.config.origins);
    let mut response = dispatch(shared, request, origin.is_some()).await;
    if let Some(origin) = origin {
        origin::expose(&mut response, origin);
    }
    response
}

async fn dispatch<G: GraphQl>(shared: Arc<Shared<G>>, request: Request, listed: bool) -> Response {
    let (parts, body) = request.into_parts();
    match parts.method {
        Method::POST => post(&shared, parts, body).await,
        Method::GET if parts.headers.contains_key(UPGRADE) => socket::upgrade(shared, parts).await,
        Method::GET | Method::HEAD => get(&shared, parts).await,
        Method::OPTIONS if listed => origin::preflight(),
        _ => {
            let fault = Fault::new(Code::MethodNotAllowed, "graphql takes GET and POST");
            with_allow(refuse(Media::Json, fault), "GET, POST")
        }
    }
}

async fn post<G: GraphQl>(shared: &Arc<Shared<G>>, parts: Parts, body: Body) -> Response {
    let media = match accepted(&parts) {
        Ok(media) => media,
        Err(fault) => return refuse(Media::Json, fault),
    };
    let (context, body) = match read(shared, parts, body, media).await {
        Ok(read) => read,
        Err(fault) => return refuse(media, fault),
    };
    match Params::from_json(&body) {
        Ok(params) => answer(shared, context, media, params).await,
        Err(fault) => refuse(media, fault),
    }
}

async fn get<G: GraphQl>(shared: &Arc<Shared<G>>, parts: Parts) -> Response {
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let media = match negotiate(&parts.headers) {
        // A person who types the address wants the editor, whatever the address asks for.
        Ok(Media::Html) if shared.config.query_page => return crate::page::index(),
        Ok(Media::Html) => return refuse(Media::Json, not_as_html()),
        Ok(media) => media,
        Err(fault) => return refuse(Media::Json, fault),
    };
    let carrier = match media {
        Media::EventStream => Carrier::GetStream,
        _ => Carrier::Get,
    };
    let context = match identify(shared, parts, carrier).await {
        Ok(context) => context,
        Err(fault) => return refuse(media, fault),
    };
    match Params::from_query_string(&query) {
        Ok(params) => answer(shared, context, media, params).await,
        Err(fault) => refuse(media, fault),
    }
}

async fn answer<G: GraphQl>(
    shared: &Arc<Shared<G>>,
    context: RequestContext,
    media: Media,
    params: Params<'_>,
) -> Response {
    let prepared = shared.engine.prepare(params, context);
    match prepared {
        Ok(request) if media == Media::EventStream => sse::respond(shared, Ok(request)),
        Ok(request) => reply(media, &shared.engine.execute(request).await),
        Err(fault) if fault.code == Code::MethodNotAllowed => {
            with_allow(refuse(media, fault), "POST")
        }
        Err(fault) if media == Media::EventStream => sse::respond(shared, Err(fault)),
        Err(fault) => refuse(media, fault),
    }
}

/// What the headers say, and who says it.
async fn identify<G: GraphQl>(
    shared: &Shared<G>,
    parts: Parts,
    carrier: Carrier,
) -> Result<RequestContext, Fault> {
    let mut context = RequestContext::new(parts, carrier)?;
    shared.engine.identify(&mut context).await?;
    Ok(context)
}

/// The page is only for GET, so a client that accepts nothing but HTML gets no answer to a POST.
fn accepted(parts: &Parts) -> Result<Media, Fault> {
    match negotiate(&parts.headers)? {
        Media::Html => Err(not_as_html()),
        media => Ok(media),
    }
}

fn not_as_html() -> Fault {
    Fault::new(Code::NotAcceptable, "this is not answered with html")
}

/// Who asks and what; nothing is read from somebody who may not ask.
async fn read<G: GraphQl>(
    shared: &Shared<G>,
    parts: Parts,
    body: Body,
    media: Media,
) -> Result<(RequestContext, Bytes), Fault> {
    require_json(&parts.headers)?;
    let bytes_max = shared.config.body_bytes_max;
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if announced
        .and_then(|text| text.parse().ok())
        .is_some_and(|bytes: usize| bytes > bytes_max)
    {
        return Err(too_large(bytes_max));
    }
    let carrier = match media {
        Media::EventStream => Carrier::PostStream,
        _ => Carrier::Post,
    };
    let context = identify(shared, parts, carrier).await?;
    let body = read_body(body, bytes_max, shared.config.body_time_max).await?;
    Ok((context, body))
}

/// The whole body, within the limits on its size and on the time it takes to arrive.
///
/// # Errors
/// [`Code::PayloadTooLarge`], [`Code::RequestTimeout`], or [`Code::BadRequest`] when the client
/// breaks off.
pub async fn read_body(body: Body, bytes_max: usize, time_max: Duration) -> Result<Bytes, Fault> {
    tokio::time::timeout(time_max, collect(body, bytes_max))
        .await
        .unwrap_or_else(|_| {
            let message = format!("the body did not arrive within {} ms", time_max.as_millis());
            Err(Fault::new(Code::RequestTimeout, message))
        })
}

async fn collect(mut body: Body, bytes_max: usize) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let broken = |error| Fault::new(Code::BadRequest, format!("broken body: {error}"));
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        if first.len() + rest.len() + data.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        // Most bodies arrive in one piece, which is then used where it lies.
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() {
        first
    } else {
        rest.freeze()
    })
}

fn too_large(bytes_max: usize) -> Fault {
    Fault::new(
        Code::PayloadTooLarge,
        format!("the body exceeds {bytes_max} bytes"),
    )
}

/// The answer that holds nothing but a fault.
pub(super) fn refuse(media: Media, fault: Fault) -> Response {
    reply(media, &Answer::from(fault))
}

/// An answer with its status: under `application/json` every GraphQL answer is 200.
pub(super) fn reply(media: Media, answer: &Answer) -> Response {
    let status = match answer.refused {
        Some(code) if media == Media::GraphQl || code.precedes_graphql() => code.status(),
        _ => StatusCode::OK,
    };
    let media = if media == Media::GraphQl {
        media
    } else {
        Media::Json
    };
    let mut response = Response::new(Body::from(encode::body(answer)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // These, those of the frame and those of the server: room for all at once.
    headers.reserve(18);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("accept"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = errors::retry_after(&answer.response) {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn with_allow(mut response: Response, methods: &'static str) -> Response {
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// When to ask again a server that is being opened.
const OPENING_RETRY: Duration = Duration::from_secs(1);

/// The answer to everything but probes until the record is open.
pub(crate) async fn still_opening() -> Response {
    let message = "the record is being opened; try again soon";
    let fault = Fault::new(Code::ServiceUnavailable, message);
    refuse(Media::Json, fault.after(OPENING_RETRY))
}

/// The answer for a path that leads nowhere.
pub(crate) async fn not_found() -> Response {
    refuse(Media::Json, Fault::new(Code::NotFound, "no such path"))
}
