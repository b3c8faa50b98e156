//! Every path, and what stands before it.

use super::site::Site;
use super::{
    control, events, guard, hooks, lists, metrics, openapi, pages, plugins, probes, shape,
    standing, status,
};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{get, post};

/// What anybody may ask.
fn open() -> Router<Site> {
    Router::new()
        .route("/livez", get(async || "ok"))
        .route("/hooks/classy/{classy_id}", post(hooks::classy))
        // Mailchimp asks with GET whether somebody is there.
        .route(
            "/hooks/mailchimp/{classy_id}",
            get(hooks::mailchimp_greeting).post(hooks::mailchimp),
        )
        .route("/login", get(pages::login::form).post(pages::login::enter))
        .route("/assets/style.css", get(pages::assets::style))
        .route("/assets/live.js", get(pages::assets::script))
        .route("/assets/icon.svg", get(pages::assets::icon))
        .route("/favicon.ico", get(pages::assets::icon))
}

/// What changes nothing.
fn reading() -> Router<Site> {
    Router::new()
        .route("/readyz", get(probes::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/health", get(probes::health))
        .route("/api/v1/organizations", get(status::organizations))
        .route(
            "/api/v1/organizations/{classy_id}",
            get(status::organization),
        )
        .route(
            "/api/v1/organizations/{classy_id}/plugins/{plugin}/held",
            get(plugins::held),
        )
        .route("/api/v1/alerts", get(lists::alerts))
        .route("/api/v1/runs", get(lists::runs))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/openapi.json", get(openapi::document))
        .route("/", get(pages::organizations::page))
        .route("/organizations", get(async || Redirect::temporary("/")))
        .route("/alerts", get(pages::alerts::page))
        .route("/system", get(pages::system::page))
        .merge(of_organization())
}

/// The pages of one organization.
fn of_organization() -> Router<Site> {
    use pages::organization as of;
    Router::new()
        .route("/organizations/{classy_id}", get(of::overview::page))
        .route("/organizations/{classy_id}/giving", get(of::giving::page))
        .route(
            "/organizations/{classy_id}/mailchimp",
            get(of::mailchimp::page),
        )
        .route("/organizations/{classy_id}/held", get(of::held::page))
        .route("/organizations/{classy_id}/runs", get(of::runs::page))
        .route("/organizations/{classy_id}/records", get(of::records::page))
        .route("/organizations/{classy_id}/audit", get(of::audit::page))
        .route(
            "/organizations/{classy_id}/people/{supporter_id}",
            get(of::person::page),
        )
}

/// What changes something.
fn ordering() -> Router<Site> {
    Router::new()
        .route(
            "/api/v1/organizations/{classy_id}/sync",
            post(control::sync),
        )
        .route(
            "/api/v1/organizations/{classy_id}/pause",
            post(standing::pause),
        )
        .route(
            "/api/v1/organizations/{classy_id}/resume",
            post(standing::resume),
        )
        .route(
            "/api/v1/organizations/{classy_id}/plugins/{plugin}/approve",
            post(plugins::approve),
        )
        .route("/api/v1/alerts/{id}/ack", post(control::acknowledge))
        .route("/api/v1/alerts/test", post(control::try_alerts))
        .route("/api/v1/look", post(standing::look))
        .route("/api/v1/reload", post(control::reload))
        .route(
            "/organizations/{classy_id}/people",
            post(pages::organization::records::find),
        )
        .route("/logout", post(pages::login::leave))
}

/// Everything, guarded.
pub(super) fn router(site: Site) -> Router {
    let reading = reading().route_layer(from_fn_with_state(site.clone(), guard::reading));
    let ordering = ordering().route_layer(from_fn_with_state(site.clone(), guard::ordering));
    open()
        .merge(reading)
        .merge(ordering)
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(from_fn_with_state(site.clone(), shape::shape))
        .layer(from_fn_with_state(site.clone(), guard::identify))
        .layer(from_fn(shape::admit))
        .layer(from_fn(guard::headers))
        .with_state(site)
}

#[cfg(test)]
mod tests {
    /// Paths in this file's router with their methods, and in the published document, are the same.
    #[test]
    fn every_path_of_the_interface_is_documented_and_none_that_is_not_there() {
        let source = include_str!("routes.rs");
        let source = &source[..source.find("#[cfg(test)]").unwrap()];
        let mut served = Vec::new();
        for route in source.split(".route(").skip(1) {
            let route = route.trim_start().strip_prefix('"').unwrap();
            let (path, handlers) = route.split_once('"').unwrap();
            let is_interface = path.starts_with("/api/")
                || path.starts_with("/hooks/")
                || ["/livez", "/readyz", "/metrics"].contains(&path);
            // Up to where the call ends, on however many lines.
            let mut open = 1;
            let length = handlers.find(|character| {
                open += i32::from(character == '(') - i32::from(character == ')');
                open == 0
            });
            let handlers = &handlers[..length.unwrap()];
            served.extend(
                ["get", "post"]
                    .into_iter()
                    .filter(|method| is_interface && handlers.contains(&format!("{method}(")))
                    .map(|method| (path, method)),
            );
        }
        served.sort_unstable();
        let document: serde_json::Value = serde_json::from_str(&super::openapi::DOCUMENT).unwrap();
        let methods = |methods: &serde_json::Value| {
            methods
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let paths = document["paths"].as_object().unwrap().iter();
        let mut documented: Vec<(&str, String)> = paths
            .flat_map(|(path, of)| {
                methods(of)
                    .into_iter()
                    .map(move |method| (path.as_str(), method))
            })
            .collect();
        documented.sort_unstable();
        let documented: Vec<(&str, &str)> = documented
            .iter()
            .map(|(path, method)| (*path, method.as_str()))
            .collect();
        assert_eq!(served, documented);
    }
}
