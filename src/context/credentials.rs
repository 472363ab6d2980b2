//! Which credential a run uses, and whether it may go where the run goes.

use super::{Context, Failure};
use crate::{
    config::{ConfigError, Project, environment},
    escape,
    http::ClientOptions,
    model::{Account, Address, App, SetBy, Vars},
    remote::{
        Credentials, Remote,
        auth::{AuthError, BEFORE_LOGIN, Found, Identity, LoginFile, Who, may_be_used},
    },
    state::Trust,
    term::{self, Answer},
};

/// Whether files of another user are why: then none of this folder's counts.
fn is_of_another(failure: &Failure) -> bool {
    let error = failure.report.downcast_ref();
    matches!(error, Some(ConfigError::OfAnother { .. }))
}

impl Context {
    /// The credential that would be used, with a word on what is odd about it.
    pub fn find_credentials(&self, vars: &Vars) -> Result<Found, AuthError> {
        let found = Found::from_vars(vars, self.home.as_deref())?;
        for warning in found.warnings() {
            self.warn(&warning.to_string());
        }
        Ok(found)
    }

    /// The credential for this address. One of the user's own goes to an address that only a file of
    /// the project names once the user trusts it; that is asked where somebody can answer.
    pub async fn credentials(
        &self,
        vars: &Vars,
        address: &Address,
    ) -> Result<Credentials, Failure> {
        let found = self.find_credentials(vars)?;
        let trust = self.trust();
        match found.check(address, |url| trust.contains(url)) {
            Ok(()) => {}
            Err(refused) => self.ask_for_trust(address, refused).await?,
        }
        Ok(found.for_address(address, |_| true)?)
    }

    /// Fails unless the user may log in there: what comes back becomes the user's login.
    pub async fn login_address(&self, address: &Address) -> Result<(), Failure> {
        let (file, trust) = (self.login_file(), self.trust());
        match may_be_used(address, file.as_ref(), |url| trust.contains(url)) {
            Ok(()) => Ok(()),
            Err(place) => {
                let refused = AuthError::Untrusted {
                    place,
                    url: address.url.to_string(),
                    credential: "your login".to_owned(),
                };
                self.ask_for_trust(address, refused).await
            }
        }
    }

    async fn ask_for_trust(&self, address: &Address, refused: AuthError) -> Result<(), Failure> {
        let AuthError::Untrusted {
            place, credential, ..
        } = &refused
        else {
            return Err(refused.into());
        };
        if !self.terminal.is_interactive() {
            return Err(refused.into());
        }
        let url = escape::terminal(address.url.as_str());
        let question = format!(
            "\n{place} names {url} as the platform's address.\nWhoever runs that server gets {credential}, \
             and can act as you. Do you know and trust that address?"
        );
        if term::confirm_word(&self.terminal, &question).await == Answer::No {
            return Err(refused.into());
        }
        if let Err(why) = Trust::add(&self.state, &address.url, self.now()) {
            self.warn(&format!("this will be asked again: {why}"));
        }
        Ok(())
    }

    /// What the user trusts. A list that cannot be read trusts none.
    pub fn trust(&self) -> Trust {
        Trust::load(&self.state).unwrap_or_else(|why| {
            self.warn_once(&escape::limited(&why.to_string(), 400));
            Trust::default()
        })
    }

    /// Variables and address: the project's where there is one, the process's elsewhere.
    pub fn surroundings(&self) -> Result<(Vars, Address), Failure> {
        match self.project(None) {
            Ok(project) => {
                let address = project.address()?;
                return Ok((project.vars, address));
            }
            Err(failure) if is_of_another(&failure) => return Err(failure),
            Err(_) => {}
        }
        let vars = environment::merge(&self.vars, Some(&self.start), self.owners())?;
        let address = environment::address(&vars)?;
        Ok((vars, address))
    }

    /// The stored login's file, if there is a home for it.
    pub fn login_file(&self) -> Option<LoginFile> {
        self.home.as_deref().map(LoginFile::in_home)
    }

    /// The app, ready to be asked.
    pub async fn remote(&self, project: &Project, app: &App) -> Result<Remote, Failure> {
        let credentials = self.credentials(&project.vars, &project.address()?).await?;
        let multiplier = project.settings.platform.multiplier;
        let options = ClientOptions {
            pace: Some(self.pace(&app.api_url, multiplier)),
            ..self.client_options()
        };
        let remote = Remote::new(app, credentials, options)?;
        if let Identity::Login { email, .. } = &remote.who().identity {
            self.acts_as(email);
        }
        Ok(remote)
    }

    fn acts_as(&self, email: &str) {
        *self.acting.borrow_mut() = Some(Account::new(email).masked());
    }

    /// Says which account acts and where its credential came from, for what changes the app or
    /// connects accounts to it.
    pub async fn say_who_acts(&self, remote: &Remote) -> String {
        let who = remote.who();
        let asked = match &who.identity {
            Identity::PersonalToken | Identity::Token => remote.userinfo().await.ok(),
            Identity::ApiKey | Identity::Login { .. } => None,
        };
        if let Some(user) = &asked {
            self.acts_as(&user.email);
        }
        let name = match (&who.identity, asked) {
            (Identity::Login { email, .. }, _) => escape::limited(email, 120),
            (_, Some(user)) => escape::limited(&user.email, 120),
            (Identity::ApiKey, _) => "a workspace".to_owned(),
            (Identity::PersonalToken | Identity::Token, None) => "the token's owner".to_owned(),
        };
        let by = who
            .origin
            .as_ref()
            .map(|by| format!(", by {by}"))
            .unwrap_or_default();
        self.terminal.say(&format!("Acting as {name}{by}."));
        if let Some(warning) = hidden(who) {
            self.warn(&warning);
        }
        name
    }
}

/// A credential of the project that is used instead of the user's own.
fn hidden(who: &Who) -> Option<String> {
    let (by, hides) = (who.origin.as_ref()?, who.hides.as_ref()?);
    by.is_project_file().then(|| {
        format!(
            "{by} is used instead of {hides}: this run acts as whoever wrote that file, and what it \
             connects belongs to them"
        )
    })
}

/// Whether a variable keeps the stored login from being used, and which.
pub fn hides_login(vars: &Vars) -> Option<String> {
    let name = BEFORE_LOGIN
        .into_iter()
        .find(|name| vars.get(name).is_some())?;
    Some(match vars.origin(name) {
        Some(SetBy::File { file, line }) => {
            format!("{name} in {}, line {line},", escape::limited(file, 200))
        }
        _ => name.to_owned(),
    })
}
