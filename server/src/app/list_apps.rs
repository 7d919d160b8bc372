//! `GET /api/1/app`.

use cortex_report_api::server::{
    app::{ListApps, ListAppsFailure, ListAppsParameters},
    types::{App, AppList, ProblemCode},
};
use poem::Request;

use super::create_app::{NAME_TAKEN, create};
use crate::{
    auth::{Session, refuse_cross_site},
    client::is_head,
    service::{Service, checked_name, not_allowed},
    store::{AppId, OrgId, Page, app_list},
};

impl ListApps for Service {
    /// Returns the applications of an organization, or a page of them; with a name, creates one
    /// first.
    async fn list_apps(
        &self,
        request: &Request,
        session: Session,
        parameters: ListAppsParameters,
    ) -> Result<AppList, ListAppsFailure> {
        let ListAppsParameters {
            org_id,
            app_name,
            limit,
            after,
        } = parameters;
        let org_id = OrgId(org_id);
        // RFC 9110, 9.2.1: HEAD is safe, so it only lists.
        let app_name = app_name.filter(|_| !is_head(request));
        let app_id = match app_name {
            None => None,
            Some(name) => {
                // Authentication allows a GET from another site, but this one changes something.
                if session.by_cookie {
                    refuse_cross_site(request, &self.public_url)?;
                }
                let name = checked_name(&name, "/query/app_name")?;
                let created = create(self, request, &session, org_id, name).await?;
                if created.is_none() {
                    let code = ProblemCode::NameTaken;
                    return Err(ListAppsFailure::conflict(code, NAME_TAKEN));
                }
                created
            }
        };
        let (caller, now) = (session.caller(), self.clock.now());
        let apps = if limit.is_some() || after.is_some() {
            let page = Page::new(limit, after.map(AppId));
            app_list::list_page(self.store.reader(), caller, org_id, page, now).await?
        } else {
            app_list::list(&self.store, caller, org_id, now).await?
        };
        let apps = apps.ok_or_else(not_allowed)?;
        let app_list = apps.into_iter().map(|app| App {
            app_id: app.id.0,
            name: app.name,
            api_key_list: app.keys,
        });
        Ok(AppList {
            app_id: app_id.map(|app_id| app_id.0),
            app_list: app_list.collect(),
        })
    }
}
