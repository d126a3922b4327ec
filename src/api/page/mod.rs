//! The query page.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::{HeaderMap, StatusCode};

/// `/` leads to the page.
pub(crate) async fn root() -> Redirect {
    Redirect::temporary("/graphql")
}

/// The page itself.
pub(crate) fn index(_headers: &HeaderMap) -> Response {
    StatusCode::OK.into_response()
}

/// A script or style sheet of the page.
pub(crate) async fn asset(Path(_name): Path<String>) -> Response {
    StatusCode::NOT_FOUND.into_response()
}
