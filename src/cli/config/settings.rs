//! The settings of the server: this list is the only place that names them. The typed
//! [`Settings`], the keys of the file, the variables, the flags, `--help`, and what
//! `daybook config` prints all follow from it; a test compares the table of the README.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use super::{
    list::settings,
    rule::{
        Secret, address, algorithms, bytes, choice, count, file, hosts, https, millis, minutes,
        origins, seconds, secret, size, switch, text, texts, time, word,
    },
};
use crate::logging::LogFormat;

settings! {
    /// Where the server listens, whom it serves and how long it waits.
    server: Server at "server" as "" {
        /// The address to listen on; port 0 takes any free port. Without TLS it must be one that
        /// only this machine reaches.
        listen: SocketAddr = address();
        /// Names, without a port, under which the server is asked besides `localhost` and
        /// addresses. Where there are none, any name will do with TLS, and no other without it.
        hosts: Vec<String> = hosts();
        /// Origins, such as `https://sales.example.com`, whose pages may open sockets and read
        /// answers, besides the server's own.
        origins: Vec<String> = origins();
        /// What operators bring as a bearer token to see `/metrics` and the state of the parts.
        /// Without one, this machine alone sees them: give one behind a proxy on this machine.
        metrics_token: Option<Secret> = secret();
        /// Connections open at a time; more wait.
        connections_max: usize = size(10_000, 1..=1_000_000);
        /// Connections open at a time from one address (of IPv6, from one /64); more are closed.
        connections_per_address_max: usize = size(500, 1..=1_000_000);
        /// Whether clients on this machine are limited like all others, in connections and in
        /// rates. Behind a proxy on this machine, switch this on and the rates of addresses off.
        limit_local: bool = switch(false);
        /// Time for the handshake of an encrypted connection.
        handshake_time_max: Duration = time(seconds(5), millis(100)..=minutes(1));
        /// Time for the head of a request to arrive, and of a connection to stay idle.
        head_time_max: Duration = time(seconds(15), millis(100)..=minutes(10));
        /// Bytes of the head of a request.
        head_bytes_max: usize = bytes(32 << 10, 8 << 10..=1 << 20);
        /// Time for the body of a request to arrive.
        body_time_max: Duration = time(seconds(10), millis(100)..=minutes(10));
        /// Bytes of the body of a request.
        body_bytes_max: usize = bytes(1 << 20, 1 << 10..=64 << 20);
        /// Time for a query or mutation to end.
        query_time_max: Duration = time(seconds(10), millis(1)..=minutes(10));
        /// Time for a client to take something of what is sent to it; one that does not is cut.
        write_time_max: Duration = time(seconds(20), millis(100)..=minutes(10));
        /// Time between failing readiness and accepting no more connections.
        grace: Duration = time(seconds(0), seconds(0)..=minutes(10));
        /// Time for requests in flight to end after that.
        drain_time_max: Duration = time(seconds(15), millis(100)..=minutes(10));
    }

    /// The encryption of connections. Both files are read again when they change, and on SIGHUP.
    tls: Tls at "server.tls" as "tls" {
        /// The certificate chain in PEM, the server's own certificate first.
        certificate: Option<PathBuf> = file();
        /// The private key of the certificate in PEM.
        key: Option<PathBuf> = file();
    }

    /// What one GraphQL document may ask for.
    limits: Limits at "limits" as "limits" {
        /// Tokens of the whole document.
        tokens_max: u32 = count(5_000, 10..=100_000);
        /// Brackets of any kind open at one place.
        nesting_max: u32 = count(60, 1..=60);
        /// Fields within fields.
        depth_max: u32 = count(15, 1..=60);
        /// Cost: one for each field, those on a page times the size of the page.
        cost_max: u32 = count(50_000, 1..=100_000_000);
        /// Fields with an alias.
        aliases_max: u32 = count(100, 0..=10_000);
        /// Fields directly under the root.
        root_fields_max: u32 = count(50, 1..=10_000);
        /// Directives.
        directives_max: u32 = count(50, 0..=10_000);
        /// Fragments within fragments.
        fragment_depth_max: u32 = count(16, 0..=32);
        /// Fields within fields under `__schema` and `__type`.
        introspection_depth_max: u32 = count(20, 1..=60);
        /// Fields under `__schema` and `__type`.
        introspection_fields_max: u32 = count(1_000, 1..=100_000);
        /// Lists within lists under `__schema` and `__type`.
        introspection_lists_max: u32 = count(2, 1..=10);
        /// Objects assumed on a page whose size a variable leaves open.
        page_size_assumed: u32 = count(20, 1..=100);
    }

    /// What one client may ask for in a while; 0 in a second is no limit.
    rates: Rates at "rates" as "rates" {
        /// Requests in a second from one address (of IPv6, from one /64), in the long run.
        address_per_second: u32 = count(200, 0..=1_000_000);
        /// Requests at once from one address, after a pause.
        address_burst: u32 = count(1_000, 1..=10_000_000);
        /// Requests in a second of one identity; somebody without one is known by the address.
        identity_per_second: u32 = count(100, 0..=1_000_000);
        /// Requests at once of one identity, after a pause.
        identity_burst: u32 = count(500, 1..=10_000_000);
        /// Cost in a second of what one identity asks for.
        cost_per_second: u32 = count(100_000, 0..=100_000_000);
        /// Cost at once of what one identity asks for; at least that of one document.
        cost_burst: u32 = count(500_000, 1..=1_000_000_000);
    }

    /// What the GraphQL side shows of itself.
    graphql: Graphql at "graphql" as "graphql" {
        /// Whether the schema can be asked for. Where it cannot, errors name nothing of it either.
        introspection: bool = switch(true);
        /// Whether the query page is served at `/graphql`.
        query_page: bool = switch(true);
    }

    /// The identity provider whose tokens are believed besides the organisation's own keys (OpenID
    /// Connect). Accounts are found by the identity that they were linked to.
    oidc: Oidc at "oidc" as "oidc" {
        /// The provider's issuer identifier, as its tokens say it; without one no token is
        /// believed.
        issuer: Option<String> = text();
        /// Whom its tokens must be meant for: one of these must be among their audiences.
        audiences: Vec<String> = texts();
        /// The https address where the provider publishes its keys.
        jwks_url: Option<String> = https();
        /// A file with the provider's keys, instead of an address.
        jwks_file: Option<PathBuf> = file();
        /// How the provider signs; tokens signed in another way are not believed.
        algorithms: Vec<String> = algorithms();
        /// How far the provider's clock may be from ours.
        leeway: Duration = time(seconds(60), seconds(0)..=minutes(5));
        /// The claim that names the organisation by its id, where the server has many.
        organisation_claim: String = word("daybook_organisation");
    }

    /// How the organisations of a house share the process.
    house: House at "house" as "house" {
        /// Organisations open at a time; the one that was left first makes room for another.
        open_max: usize = size(64, 1..=10_000);
        /// Time for which an organisation that nobody uses stays open.
        idle: Duration = time(minutes(10), millis(100)..=minutes(24 * 60));
        /// Time for which a request waits for a place, and for its organisation to be opened.
        wait: Duration = time(seconds(10), millis(100)..=minutes(10));
    }

    /// The server's own log, on stderr; `DAYBOOK_LOG` says how much of it is written.
    log: Log at "log" as "log" {
        /// How a line looks.
        format: LogFormat = choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]);
    }
}
