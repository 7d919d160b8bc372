//! Commands on organizations and their members.

use std::{collections::HashMap, io::Write};

use chrono::{DateTime, Utc};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde::Serialize;

use super::{CommandError, Context, Output};
use crate::{
    address::EmailAddress,
    store::{OrgId, Role, Writer, audit, membership, org, user},
    text::check_name,
};

/// Commands on organizations.
#[derive(Clone, Debug, Subcommand)]
pub enum OrgCommand {
    /// Add an organization and print its org_id.
    Add {
        /// Name of the organization.
        name: String,
    },
    /// List the organizations: org_id, name, time of creation.
    List,
    /// Give an organization another name.
    Rename {
        /// The organization's org_id.
        org_id: i64,
        /// Name of the organization.
        name: String,
    },
    /// Delete an organization with its applications, memberships, invitations and service tokens.
    Remove {
        /// The organization's org_id.
        org_id: i64,
        /// Name of the organization, so that no other one is deleted by mistake.
        #[arg(long)]
        name: String,
    },
}

/// Commands on memberships.
#[derive(Clone, Debug, Subcommand)]
pub enum MemberCommand {
    /// Make a user a member of an organization, or give a member another role.
    Add {
        /// The user's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// The organization's org_id.
        org_id: i64,
        /// Role of the member: owners manage the organization and its people, members its
        /// applications, viewers only read.
        #[arg(long, default_value = "member", value_parser = role_parser())]
        role: Role,
    },
    /// List the memberships: org_id, organization, address, role.
    List,
    /// Remove a member from an organization, with the service tokens that the member made for it.
    Remove {
        /// The member's e-mail address.
        #[arg(value_parser = EmailAddress::parse)]
        address: EmailAddress,
        /// The organization's org_id.
        org_id: i64,
    },
}

#[derive(Serialize)]
struct Row {
    org_id: i64,
    name: String,
    created_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Org {
    org_id: i64,
}

#[derive(Serialize)]
struct MemberRow {
    org_id: i64,
    org_name: String,
    email: String,
    role: String,
}

#[derive(Serialize)]
struct Member<'a> {
    org_id: i64,
    email: &'a str,
}

impl OrgCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        match self {
            Self::Add { name } => {
                let name = check_name(&name)?;
                let writer = context.store.begin().await?;
                let org = org::add(&writer, name, context.by.at).await?;
                let object = audit::Object::of_org(org.id, name);
                audit::add(&writer, audit::Event::OrgCreated, &context.by, object).await?;
                writer.commit().await?;
                let added = Org { org_id: org.id.0 };
                output.result(&added, &org.id.to_string())?;
            }
            Self::List => {
                for org in org::list(context.store.reader()).await? {
                    output.row(&Row {
                        org_id: org.id.0,
                        name: org.name,
                        created_at: org.created_at.into(),
                    })?;
                }
            }
            Self::Rename { org_id, name } => {
                let name = check_name(&name)?;
                let writer = context.store.begin().await?;
                let owner = membership::operator(&writer, OrgId(org_id)).await?;
                let owner = owner.ok_or(CommandError::NoOrg(OrgId(org_id)))?;
                org::rename(&writer, owner, name).await?;
                let object = audit::Object::of_org(owner.org_id(), name);
                audit::add(&writer, audit::Event::OrgRenamed, &context.by, object).await?;
                context.commit_everywhere(writer).await?;
                output.result(&Org { org_id }, "")?;
            }
            Self::Remove { org_id, name } => {
                let id = OrgId(org_id);
                let writer = context.store.begin().await?;
                let owner = membership::operator(&writer, id).await?;
                let owner = owner.ok_or(CommandError::NoOrg(id))?;
                let org = org::find_by_id(&writer, id).await?;
                let org = org.ok_or(CommandError::NoOrg(id))?;
                if org.name != name.trim() {
                    return Err(CommandError::OrgName(id, org.name));
                }
                org::delete(&writer, owner).await?;
                let object = audit::Object::of_org(id, &org.name);
                audit::add(&writer, audit::Event::OrgDeleted, &context.by, object).await?;
                context.commit_everywhere(writer).await?;
                output.result(&Org { org_id }, &format!("deleted organization {id}"))?;
            }
        }
        Ok(())
    }
}

impl MemberCommand {
    pub(super) async fn run<W: Write>(
        self,
        context: &Context<'_>,
        output: &mut Output<W>,
    ) -> Result<(), CommandError> {
        match self {
            Self::Add {
                address,
                org_id,
                role,
            } => {
                let user = context.user(&address).await?;
                let id = OrgId(org_id);
                let writer = context.store.begin().await?;
                let org = membership::operator(&writer, id).await?;
                org.ok_or(CommandError::NoOrg(id))?;
                if role != Role::Owner {
                    check_other_owner(&writer, id, &user, &address).await?;
                }
                membership::put(&writer, user.id, id, role).await?;
                let object = audit::Object::of_org(id, address.as_str()).with_role(role);
                audit::add(&writer, audit::Event::MemberAdded, &context.by, object).await?;
                context.commit_everywhere(writer).await?;
                let email = address.as_str();
                output.result(&Member { org_id, email }, "")?;
            }
            Self::List => list_members(context, output).await?,
            Self::Remove { address, org_id } => {
                let user = context.user(&address).await?;
                let id = OrgId(org_id);
                let writer = context.store.begin().await?;
                let owner = membership::operator(&writer, id).await?;
                let owner = owner.ok_or(CommandError::NoOrg(id))?;
                check_other_owner(&writer, id, &user, &address).await?;
                if !membership::remove(&writer, owner.remover(user.id)).await? {
                    return Err(CommandError::NoMember(address, id));
                }
                let object = audit::Object::of_org(id, address.as_str());
                audit::add(&writer, audit::Event::MemberRemoved, &context.by, object).await?;
                context.commit_everywhere(writer).await?;
                let email = address.as_str();
                output.result(&Member { org_id, email }, "")?;
            }
        }
        Ok(())
    }
}

async fn list_members<W: Write>(
    context: &Context<'_>,
    output: &mut Output<W>,
) -> Result<(), CommandError> {
    let db = context.store.reader();
    let orgs = org::list(db).await?.into_iter();
    let orgs: HashMap<_, _> = orgs.map(|org| (org.id, org.name)).collect();
    let users = user::list(db).await?.into_iter();
    let users: HashMap<_, _> = users.map(|user| (user.id, user.email)).collect();
    for member in membership::list(db).await? {
        // An organization created between the queries has no name here.
        let name = |name: Option<&String>| name.cloned().unwrap_or_default();
        output.row(&MemberRow {
            org_id: member.org_id.0,
            org_name: name(orgs.get(&member.org_id)),
            email: name(users.get(&member.user_id)),
            role: member.role.name(),
        })?;
    }
    Ok(())
}

/// Checks that an organization keeps an owner without a user. It has to be locked.
async fn check_other_owner(
    db: &Writer,
    org_id: OrgId,
    user: &user::Model,
    address: &EmailAddress,
) -> Result<(), CommandError> {
    let role = membership::role_of(db, org_id, user.id).await?;
    if let Some(role) = role
        && membership::is_last_owner(db, org_id, user.id, role).await?
    {
        let orgs = super::user::Orgs::from(org_id);
        return Err(CommandError::LastOwner(address.clone(), orgs));
    }
    Ok(())
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    let names = PossibleValuesParser::new(Role::names());
    names.try_map(|name| Role::named(&name).ok_or("is not a role"))
}
