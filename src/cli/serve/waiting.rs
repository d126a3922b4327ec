//! What is answered while the record is being opened, which takes a while where the read models
//! have to be rebuilt: probes, so that whoever watches the process knows that it lives.

use std::{net::TcpListener, time::Duration};

use daybook_api::{
    health::Report,
    metrics::Metrics,
    transport::{Lifecycle, ServeConfig, opening, serve},
};
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::error::CliError;

/// Time for the last of these answers to leave.
const END: Duration = Duration::from_secs(1);

/// A server for the time of opening, on the socket of the one to come.
pub(super) struct Waiting {
    lifecycle: Lifecycle,
    server: JoinHandle<bool>,
}

impl Waiting {
    pub(super) fn begin(
        runtime: &Runtime,
        listener: &TcpListener,
        connections: ServeConfig,
    ) -> Result<Self, CliError> {
        let system = |source| CliError::System {
            what: "use the listening socket",
            source,
        };
        let _entered = runtime.enter();
        let listener = listener.try_clone().map_err(system)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(system)?;
        let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
        let health = || Report::ready().with("record", false, "is being opened");
        let routes = opening(health, &metrics, &lifecycle);
        let config = ServeConfig {
            grace: Duration::ZERO,
            drain_time_max: END,
            ..connections
        };
        let server = runtime.spawn({
            let lifecycle = lifecycle.clone();
            async move { serve(listener, routes, &lifecycle, config, &metrics).await }
        });
        Ok(Self { lifecycle, server })
    }

    /// Leaves the socket to the server of the open record.
    pub(super) fn end(self, runtime: &Runtime) {
        self.lifecycle.shut_down();
        // Whether somebody's connection had to be cut does not matter to the server to come.
        drop(runtime.block_on(self.server));
    }
}
