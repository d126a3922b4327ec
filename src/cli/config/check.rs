//! Settings that must go together.

use super::{read::Problem, settings::Settings};

/// Everything that each setting allows and all of them together do not.
pub(crate) fn clashes(settings: &Settings) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut clash = |text: String| found.push(Problem::Clash(text));
    let tls = &settings.tls;
    if tls.certificate.is_some() != tls.key.is_some() {
        clash(
            "server.tls.certificate and server.tls.key go together: one of them is missing".into(),
        );
    }
    let (burst, cost_max) = (settings.rates.cost_burst, settings.limits.cost_max);
    if settings.rates.cost_per_second > 0 && burst < cost_max {
        clash(format!(
            "rates.cost_burst ({burst}) is less than limits.cost_max ({cost_max}), which one \
             document may cost"
        ));
    }
    let oidc = &settings.oidc;
    let sources = usize::from(oidc.jwks_url.is_some()) + usize::from(oidc.jwks_file.is_some());
    match &oidc.issuer {
        Some(_) if sources != 1 || oidc.audiences.is_empty() => clash(
            "oidc.issuer needs oidc.audiences and one of oidc.jwks_url and oidc.jwks_file".into(),
        ),
        None if sources > 0 => clash("oidc.jwks_url and oidc.jwks_file need oidc.issuer".into()),
        Some(_) | None => {}
    }
    found
}
