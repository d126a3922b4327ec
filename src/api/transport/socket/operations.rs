//! The operations that run on one socket.

use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;

use axum::extract::ws::Message;
use futures_util::stream::{AbortHandle, BoxStream, SelectAll, StreamExt as _, abortable, once};

use super::protocol;
use crate::transport::GraphQl;
use crate::transport::engine::{Answer, Engine};
use crate::transport::request::GraphQlRequest;

/// An answer of one operation, or its end.
pub(super) struct Event {
    id: Arc<str>,
    answer: Option<Answer>,
}

/// A stopped operation yields nothing more, so an id can be used again at once.
#[derive(Default)]
pub(super) struct Operations {
    streams: SelectAll<BoxStream<'static, Event>>,
    running: HashMap<Arc<str>, AbortHandle>,
    started: u64,
}

impl Operations {
    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// Operations started since the socket was opened.
    pub(super) const fn started(&self) -> u64 {
        self.started
    }

    pub(super) fn start<G: GraphQl>(
        &mut self,
        id: &str,
        engine: &Arc<Engine<G>>,
        request: GraphQlRequest,
    ) {
        let id: Arc<str> = id.into();
        let (of_answer, of_end) = (Arc::clone(&id), Arc::clone(&id));
        let answers = Engine::stream(engine, request).map(move |answer| Event {
            id: Arc::clone(&of_answer),
            answer: Some(answer),
        });
        let end = once(ready(Event {
            id: of_end,
            answer: None,
        }));
        let (stream, handle) = abortable(answers.chain(end));
        self.streams.push(stream.boxed());
        self.running.insert(id, handle);
        self.started += 1;
    }

    pub(super) fn stop(&mut self, id: &str) {
        if let Some(handle) = self.running.remove(id) {
            handle.abort();
        }
    }

    pub(super) fn clear(&mut self) {
        self.streams.clear();
        self.running.clear();
    }

    /// The next event of any operation; waits for ever while none runs.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.streams.next().await {
                return event;
            }
            std::future::pending::<()>().await;
        }
    }

    /// The message that tells an event. A refusal and an end both end the operation.
    pub(super) fn settle(&mut self, event: Event) -> Message {
        match event.answer {
            Some(answer) => {
                if answer.refused.is_some() {
                    self.stop(&event.id);
                }
                protocol::answer(&event.id, &answer)
            }
            None => {
                self.stop(&event.id);
                protocol::complete(&event.id)
            }
        }
    }
}
