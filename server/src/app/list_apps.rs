//! `GET /api/1/app`.

use cortex_report_api::server::{
    app::{ListApps, ListAppsFailure, ListAppsParameters},
    types::{App, AppList, ProblemCode},
};
use poem::Request;

use super::create_app::{NAME_TAKEN, Name, create};
use crate::{
    auth::{Session, refuse_cross_site},
    client::is_head,
    service::{Service, not_allowed},
    store::{
        AppId, OrgId,
        app::{self, Page},
    },
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
                let name = Name::new(&name, "/query/app_name")?;
                let created = create(self, request, &session, org_id, name).await?;
                if created.is_none() {
                    let code = ProblemCode::NameTaken;
                    return Err(ListAppsFailure::conflict(code, NAME_TAKEN));
                }
                created
            }
        };
        let page = (limit.is_some() || after.is_some()).then(|| Page {
            // The document's minimum is 1.
            limit: limit.and_then(|limit| limit.try_into().ok()),
            after: after.map(AppId),
        });
        let (store, user_id) = (&self.store, session.active.user_id);
        let apps = match page {
            Some(page) => app::list_page_for_user(store.reader(), user_id, org_id, page).await?,
            None => app::list_for_user(store, user_id, org_id).await?,
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
