//! From the settings to the limits of the transport.

use std::path::Path;

use daybook_api::transport::{self, Rate, ServeConfig, Tls, TlsError, TransportConfig};
use daybook_app::access::{KeySource, ProviderSettings, Providers};
use daybook_app::{HouseOptions, OrganisationOptions};

use super::{rule::Secret, settings::Settings};

impl Settings {
    /// The certificate; none where connections are not encrypted.
    ///
    /// # Errors
    /// The files cannot be used.
    pub(crate) fn certificate(&self) -> Result<Option<Tls>, TlsError> {
        let files: Option<(&Path, &Path)> =
            self.tls.certificate.as_deref().zip(self.tls.key.as_deref());
        files
            .map(|(certificate, key)| Tls::load(certificate, key))
            .transpose()
    }

    /// The limits of connections.
    pub(crate) fn connections(&self, tls: Option<Tls>) -> ServeConfig {
        let server = &self.server;
        ServeConfig {
            tls,
            connections_max: server.connections_max,
            connections_per_address_max: server.connections_per_address_max,
            limit_local: server.limit_local,
            handshake_time_max: server.handshake_time_max,
            head_time_max: server.head_time_max,
            head_bytes_max: server.head_bytes_max,
            write_time_max: server.write_time_max,
            grace: server.grace,
            drain_time_max: server.drain_time_max,
        }
    }

    /// The limits of requests.
    pub(crate) fn requests(&self) -> TransportConfig {
        let server = &self.server;
        let encrypted = self.tls.certificate.is_some();
        TransportConfig {
            limits: self.document_limits(),
            body_bytes_max: server.body_bytes_max,
            body_time_max: server.body_time_max,
            query_time_max: server.query_time_max,
            origins: server.origins.clone(),
            hosts: (!encrypted || !server.hosts.is_empty()).then(|| server.hosts.clone()),
            rates: self.client_rates(),
            introspection: self.graphql.introspection,
            query_page: self.graphql.query_page,
            metrics_token: server
                .metrics_token
                .as_ref()
                .map(Secret::reveal)
                .map(Into::into),
            ..TransportConfig::default()
        }
    }

    /// How a house is kept whose organisations are opened in that way.
    pub(crate) fn house(&self, organisation: OrganisationOptions) -> HouseOptions {
        HouseOptions {
            open_max: self.house.open_max,
            idle: self.house.idle,
            wait: self.house.wait,
            organisation,
        }
    }

    /// The identity providers that are believed.
    pub(crate) fn providers(&self) -> Providers {
        let oidc = &self.oidc;
        let address = oidc.jwks_url.clone().map(KeySource::Address);
        let keys = address.or_else(|| oidc.jwks_file.clone().map(KeySource::File));
        let algorithms = oidc.algorithms.iter();
        let provider = oidc
            .issuer
            .clone()
            .zip(keys)
            .map(|(issuer, keys)| ProviderSettings {
                issuer,
                audiences: oidc.audiences.clone(),
                keys,
                algorithms: algorithms.filter_map(|name| name.parse().ok()).collect(),
                leeway_seconds: oidc.leeway.as_secs(),
                organisation_claim: oidc.organisation_claim.clone(),
            });
        Providers::new(provider.into_iter().collect())
    }

    fn document_limits(&self) -> transport::Limits {
        let limits = &self.limits;
        transport::Limits {
            tokens_max: limits.tokens_max,
            nesting_max: limits.nesting_max,
            depth_max: limits.depth_max,
            cost_max: limits.cost_max.into(),
            aliases_max: limits.aliases_max,
            root_fields_max: limits.root_fields_max,
            directives_max: limits.directives_max,
            fragment_depth_max: limits.fragment_depth_max,
            introspection_depth_max: limits.introspection_depth_max,
            introspection_fields_max: limits.introspection_fields_max,
            introspection_lists_max: limits.introspection_lists_max,
            page_size_assumed: limits.page_size_assumed,
        }
    }

    fn client_rates(&self) -> transport::Rates {
        let rates = &self.rates;
        transport::Rates {
            address: Rate::new(rates.address_per_second, rates.address_burst),
            identity: Rate::new(rates.identity_per_second, rates.identity_burst),
            cost: Rate::new(rates.cost_per_second, rates.cost_burst),
            local: self.server.limit_local,
        }
    }
}
