//! The people of an organization.

use clap::{Subcommand, ValueHint};

use super::{
    Cli, Failure,
    choice::{OrgChoice, Role, find_member, members, only, pages, word},
    output::{table, visible},
};
use crate::types::{CreateInvitationRequest, Invitation, Member, UpdateMemberRequest};

#[derive(Subcommand)]
pub(super) enum MemberCommand {
    /// List the members of an organization with their roles
    List {
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Invite somebody by e-mail, who joins by logging in with the address
    Invite {
        /// The e-mail address
        #[arg(value_hint = ValueHint::EmailAddress)]
        address: String,
        /// The role that they get
        #[arg(long, value_enum, default_value = "member")]
        role: Role,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// List the invitations that are not accepted yet
    Invitations {
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Revoke an invitation
    Uninvite {
        /// The e-mail address, or the number of the invitation
        #[arg(value_hint = ValueHint::EmailAddress)]
        address: String,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Give a member another role
    Role {
        /// The member, by address or number
        #[arg(value_hint = ValueHint::EmailAddress)]
        member: String,
        /// The role
        #[arg(value_enum)]
        role: Role,
        #[command(flatten)]
        org: OrgChoice,
    },
    /// Remove a member
    Remove {
        /// The member, by address or number
        #[arg(value_hint = ValueHint::EmailAddress)]
        member: String,
        /// Remove without asking for confirmation
        #[arg(long, short)]
        yes: bool,
        #[command(flatten)]
        org: OrgChoice,
    },
}

impl MemberCommand {
    pub(super) async fn run(self, cli: Cli<'_>) -> Result<(), Failure> {
        match self {
            Self::List { org } => {
                let org = org.find(&cli).await?;
                let members = members(&cli, org.org_id).await?;
                Ok(cli
                    .output
                    .result(&members, |members| member_table(members))?)
            }
            Self::Invite { address, role, org } => {
                let org = org.find(&cli).await?;
                let request = CreateInvitationRequest {
                    email: address,
                    role: role.into(),
                };
                let invited = cli.client.create_invitation().org_id(org.org_id);
                let invited = cli.reply(invited.body(request).send().await)?;
                Ok(cli.output.result(&invited, |invited| {
                    format!(
                        "An invitation is on its way to {}. It can be accepted until {}.",
                        visible(&invited.email),
                        word(&invited.ends_at)
                    )
                })?)
            }
            Self::Invitations { org } => {
                let org = org.find(&cli).await?;
                let open = invitations(&cli, org.org_id).await?;
                Ok(cli.output.result(&open, |open| {
                    let rows = open.iter().map(|it| {
                        [
                            it.invitation_id.to_string(),
                            it.email.clone(),
                            word(&it.role),
                            word(&it.ends_at),
                        ]
                    });
                    table(["INVITATION", "ADDRESS", "ROLE", "UNTIL"], rows)
                })?)
            }
            Self::Uninvite { address, org } => {
                let org = org.find(&cli).await?;
                let open = invitations(&cli, org.org_id).await?;
                let kind = ["invitation", "cortex-report member invitations"];
                let invitation = only(open, &address, |it| it.invitation_id, |it| &it.email, kind)?;
                let revoked = cli.client.revoke_invitation().org_id(org.org_id);
                let revoked = revoked.invitation_id(invitation.invitation_id).send().await;
                let revoked = cli.reply(revoked)?;
                Ok(cli.output.result(&revoked, |_| {
                    let email = visible(&invitation.email);
                    format!("The invitation to {email} is revoked.")
                })?)
            }
            Self::Role { member, role, org } => {
                let org = org.find(&cli).await?;
                let member = find_member(&cli, org.org_id, &member).await?;
                let request = UpdateMemberRequest { role: role.into() };
                let changed = cli.client.update_member().org_id(org.org_id);
                let changed = changed.user_id(member.user_id).body(request).send().await;
                let changed = cli.reply(changed)?;
                Ok(cli.output.result(&changed, |changed| {
                    member_table(std::slice::from_ref(changed))
                })?)
            }
            Self::Remove { member, yes, org } => {
                let org = org.find(&cli).await?;
                let member = find_member(&cli, org.org_id, &member).await?;
                let (email, name) = (visible(&member.email), visible(&org.name));
                cli.confirm(
                    yes,
                    &format!("Remove {email} from {name}, with the service tokens made there?"),
                )?;
                let removed = cli.client.remove_member().org_id(org.org_id);
                let removed = cli.reply(removed.user_id(member.user_id).send().await)?;
                Ok(cli
                    .output
                    .result(&removed, |_| format!("{email} is not in {name} any more."))?)
            }
        }
    }
}

async fn invitations(cli: &Cli<'_>, org_id: i64) -> Result<Vec<Invitation>, Failure> {
    let page = async |after: Option<i64>| {
        let list = cli.client.list_invitations().org_id(org_id);
        let list = match after {
            Some(after) => list.after(after),
            None => list,
        };
        Ok(cli.reply(list.send().await)?.invitation_list)
    };
    pages(page, |invitation| invitation.invitation_id).await
}

fn member_table(members: &[Member]) -> String {
    let rows = members.iter().map(|member| {
        [
            member.user_id.to_string(),
            member.email.clone(),
            member.display_name.clone(),
            word(&member.role),
        ]
    });
    table(["MEMBER", "ADDRESS", "NAME", "ROLE"], rows)
}
