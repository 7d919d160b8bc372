//! `POST /api/1/org/{org_id}/invitation`.

use cortex_report_api::server::{
    member::{CreateInvitation, CreateInvitationFailure},
    types::{self, CreateInvitationRequest, ProblemCode},
};
use poem::Request;

use crate::{
    address::EmailAddress,
    auth::Session,
    config::MailLimits,
    service::{Service, invalid, not_allowed, not_allowed_since},
    store::{
        OrgId, UserId, audit, invitation, membership, outbox,
        rate_limit::{self, RateLimit},
        user,
    },
};

impl CreateInvitation for Service {
    async fn create_invitation(
        &self,
        request: &Request,
        session: Session,
        org_id: i64,
        body: CreateInvitationRequest,
    ) -> Result<types::Invitation, CreateInvitationFailure> {
        let email =
            EmailAddress::parse(&body.email).map_err(|error| invalid("/body/email", error))?;
        let org_id = OrgId(org_id);
        let by = session.by(request, self.clock.now());
        let writer = self.store.begin().await?;
        let member = membership::find_locked(&writer, session.caller(), org_id).await?;
        let member = member.ok_or_else(not_allowed)?;
        let owner = member.owner().ok_or_else(not_allowed)?;
        if let Some(user) = user::find_by_email(&writer, &email).await?
            && membership::find_listed(&writer, member, user.id)
                .await?
                .is_some()
        {
            return Err(not_allowed_since("This is the address of a member already.").into());
        }
        let limits = limits(&self.mail_limits, &email, session.active.user_id);
        if let Some(wait) = rate_limit::take(&writer, &limits, by.at).await? {
            drop(writer);
            rate_limit::bring_back(self.store.reader(), &limits, by.at).await?;
            let seconds = wait.as_secs_f64().ceil() as i64;
            return Err(CreateInvitationFailure::too_many_requests(
                ProblemCode::TooManyRequests,
                format!("Too many invitations were sent. Try again in {seconds} seconds."),
                seconds,
            ));
        }
        let role = body.role.into();
        let invitation = invitation::add(&writer, owner, &email, role, &by.email, by.at).await?;
        outbox::add_invitation(&writer, invitation.id, by.at).await?;
        let object = audit::Object::of_org(org_id, &invitation.email).with_role(role);
        audit::add(&writer, audit::Event::MemberInvited, &by, object).await?;
        writer.commit().await?;
        self.mail_is_due.notify_one();
        Ok(invitation.into())
    }
}

/// The limits that an invitation takes from. They are not those of logins, so that invitations keep
/// nobody from logging in.
fn limits(limits: &MailLimits, email: &EmailAddress, user_id: UserId) -> [Vec<RateLimit>; 2] {
    let mailbox = email.mailbox();
    let of = |key: String, limit| RateLimit::new(&key, limit);
    // The order of the kinds is always the same.
    [
        vec![
            of(
                format!("invitation of {mailbox} by {user_id}"),
                limits.address_client,
            ),
            of(format!("invitation of {mailbox}"), limits.address),
        ],
        vec![
            of(format!("invitation by {user_id}"), limits.user),
            of("invitation".to_owned(), limits.total),
        ],
    ]
}
