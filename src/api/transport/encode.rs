//! Answers as JSON text, written once and handed on without a copy.

use async_graphql::{ServerError, Value};
use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::engine::Answer;

const INTERNAL: &[u8] = b"{\"errors\":[{\"message\":\"internal error\",\
    \"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}";

/// The answer as a body.
pub(super) fn body(answer: &Answer) -> Bytes {
    let mut out = Vec::with_capacity(512);
    write(answer, &mut out);
    out.into()
}

/// Appends the answer.
pub(super) fn write(answer: &Answer, out: &mut Vec<u8>) {
    let start = out.len();
    if let Err(error) = serde_json::to_writer(&mut *out, &Json(answer)) {
        // Every value in a response is plain data and a vector takes any number of bytes, so
        // only a scalar that serialises itself wrongly leads here.
        tracing::error!(%error, "an answer could not be encoded");
        out.truncate(start);
        out.extend_from_slice(INTERNAL);
    }
}

/// The errors of a refused request alone, as `graphql-transport-ws` sends them.
pub(super) fn write_errors(errors: &[ServerError], out: &mut Vec<u8>) {
    if let Err(error) = serde_json::to_writer(&mut *out, errors) {
        tracing::error!(%error, "errors could not be encoded");
    }
}

struct Json<'a>(&'a Answer);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Answer { response, refused } = self.0;
        let mut map = serializer.serialize_map(None)?;
        if !response.errors.is_empty() {
            map.serialize_entry("errors", &response.errors)?;
        }
        if refused.is_none() {
            map.serialize_entry::<_, Value>("data", &response.data)?;
        }
        if !response.extensions.is_empty() {
            map.serialize_entry("extensions", &response.extensions)?;
        }
        map.end()
    }
}
