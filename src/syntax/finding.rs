//! Everything that can be said about the project's files, each in one place.

use miette::Diagnostic;
use thiserror::Error;

use super::quote::Quoted;
use crate::model::{ConnectorType, ConnectorTypeError};

/// What is wrong, without where. The text of every message stands here.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
pub enum Finding {
    /// The operating system refused to read it, or it is not a regular file.
    #[error("the file cannot be read: {reason}")]
    #[diagnostic(
        code(connplan::config::unreadable),
        help("nothing is planned without it: what it declares would look removed")
    )]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// A link out of the project: its target is not part of the checkout, so it is neither read nor shown.
    #[error("the file is a link out of the project or into the `.git` folder; it was not read")]
    #[diagnostic(
        code(connplan::config::leads_out),
        help(
            "put the file itself here: connplan reads only files inside the project; a link to one of those is written as a relative path"
        )
    )]
    LeadsOut,
    /// More than a file may have.
    #[error("the file is larger than 1 MiB")]
    #[diagnostic(
        code(connplan::config::too_large),
        help("a connector file has only a type and a list of scopes: is this the right file?")
    )]
    TooLarge,
    /// Bytes that are not UTF-8.
    #[error("the file is not UTF-8 text: line {line} holds a byte that cannot be read")]
    #[diagnostic(code(connplan::config::not_utf8), help("save the file as UTF-8"))]
    NotUtf8 {
        /// The line, from 1.
        line: usize,
    },
    /// Not JSON5, not TOML.
    #[error("{what}")]
    #[diagnostic(code(connplan::config::syntax))]
    Syntax {
        /// The parser's words, with what they quote made safe.
        what: String,
        /// What to do.
        #[help]
        help: Option<&'static str>,
    },
    /// A list, a string or something else where an object is expected.
    #[error("the file holds {found}, not an object")]
    #[diagnostic(
        code(connplan::config::not_an_object),
        help("put the keys between `{{` and `}}`")
    )]
    NotAnObject {
        /// What it holds.
        found: &'static str,
    },
    /// A connector without its type.
    #[error("the connector has no `type`")]
    #[diagnostic(code(connplan::config::no_type))]
    NoType {
        /// What to write.
        #[help]
        help: String,
    },
    /// `"type": 5`.
    #[error("`type` is {found}, not a string")]
    #[diagnostic(
        code(connplan::config::type_not_a_string),
        help("write the connector's type in quotes, for example \"slack\"")
    )]
    TypeNotAString {
        /// What it is.
        found: &'static str,
    },
    /// A type outside `^[A-Za-z0-9_-]+$`.
    #[error("`type` is \"{text}\": {reason}")]
    #[diagnostic(
        code(connplan::config::invalid_type),
        help("write the type as the platform spells it; `connplan list-available` lists them")
    )]
    InvalidType {
        /// The text.
        text: Quoted,
        /// Why not.
        reason: ConnectorTypeError,
    },
    /// `"scopes": "chat:write"`.
    #[error("`scopes` is {found}, not a list of strings")]
    #[diagnostic(
        code(connplan::config::scopes_not_a_list),
        help("write a list, for example [\"chat:write\", \"users:read\"], or leave `scopes` out")
    )]
    ScopesNotAList {
        /// What it is.
        found: &'static str,
    },
    /// `"scopes": [5]`.
    #[error("{}", super::quote::not_strings(*count))]
    #[diagnostic(
        code(connplan::config::scope_not_a_string),
        help("every scope is a string in quotes")
    )]
    ScopeNotAString {
        /// How many.
        count: usize,
    },
    /// `"account": "ops"`.
    #[error("`account` is not an e-mail address")]
    #[diagnostic(
        code(connplan::config::invalid_account),
        help("write a whole address (\"ops@example.com\"), or a domain (\"@example.com\")")
    )]
    InvalidAccount,
    /// Two files of one type.
    #[error("a second file declares the connector `{connector}`")]
    #[diagnostic(
        code(connplan::config::duplicate_type),
        help("a connector has one file: merge the scopes into one and delete the other")
    )]
    DuplicateType {
        /// The type.
        connector: ConnectorType,
    },
    /// The other half of [`Finding::DuplicateType`] and [`Finding::TypeCase`].
    #[error("this is the first file that declares it")]
    #[diagnostic(severity(Advice))]
    FirstFile,
    /// The connectors folder is there and cannot be listed.
    #[error("the connectors folder cannot be read: {reason}")]
    #[diagnostic(
        code(connplan::config::folder_unreadable),
        help("make it readable for your user, or name another with `--dir`")
    )]
    FolderUnreadable {
        /// Why.
        reason: String,
    },
    /// Nothing is declared at all: a wrong branch or folder is more likely than the intention.
    #[error("the connectors folder {what}")]
    #[diagnostic(
        code(connplan::config::no_files),
        severity(Warning),
        help(
            "check the branch and the folder: `connplan plan` would remove every connector of the app, and \
             refuses that without `--allow-remove-all`; `connplan pull` writes the app's \
             connectors to files"
        )
    )]
    NoFiles {
        /// `does not exist` or `holds no connector file`.
        what: &'static str,
    },
    /// A file name that is not text.
    #[error("the file's name is not UTF-8 text")]
    #[diagnostic(code(connplan::config::file_name), help("rename the file"))]
    FileName,
    /// A known key of the Base44 config with something else than a string.
    #[error("`{key}` is {found}, not a string")]
    #[diagnostic(code(connplan::config::not_a_string), help("write it in quotes"))]
    NotAString {
        /// The key.
        key: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// `.app.jsonc` without a usable id.
    #[error("the file does not name an app: {reason}")]
    #[diagnostic(
        code(connplan::config::app_file),
        help(
            "write `{{ \"id\": \"...\" }}`, or run `npx base44 link`; `--app-id` overrides this file"
        )
    )]
    AppFile {
        /// What is missing or wrong.
        reason: String,
    },
    /// A value in `connplan.toml` that does not fit.
    #[error("{message}")]
    #[diagnostic(code(connplan::config::setting))]
    Setting {
        /// The decoder's words, with what they quote made safe.
        message: String,
    },

    /// A key that connector files don't have.
    #[error("`{key}` is not a key of a connector file")]
    #[diagnostic(code(connplan::config::unknown_key), severity(Warning))]
    UnknownKey {
        /// The key.
        key: Quoted,
        /// What was meant, or what is known.
        #[help]
        help: String,
    },
    /// A key twice in one object.
    #[error("`{key}` is here more than once")]
    #[diagnostic(
        code(connplan::config::duplicate_key),
        severity(Warning),
        help("the last one counts; delete the others")
    )]
    DuplicateKey {
        /// The key.
        key: Quoted,
    },
    /// A scope twice in one list.
    #[error("the scope `{scope}` is in the list more than once")]
    #[diagnostic(
        code(connplan::config::duplicate_scope),
        severity(Warning),
        help("it counts once; delete the others")
    )]
    DuplicateScope {
        /// The scope.
        scope: Quoted,
    },
    /// `""` in the list.
    #[error("a scope is empty")]
    #[diagnostic(
        code(connplan::config::empty_scope),
        help("delete it from the list, or write the scope that belongs there")
    )]
    EmptyScope,
    /// White space within or around a scope.
    #[error("the scope `{scope}` holds white space")]
    #[diagnostic(code(connplan::config::scope_white_space))]
    ScopeWhiteSpace {
        /// The scope.
        scope: Quoted,
        /// How to write it.
        #[help]
        help: &'static str,
    },
    /// A comma within a scope of a provider that reads several scopes there.
    #[error("the scope `{scope}` contains a comma, and {reader} as several scopes")]
    #[diagnostic(
        code(connplan::config::scope_comma),
        help("each scope is an element of its own: [\"a\", \"b\"], not [\"a,b\"]")
    )]
    ScopeComma {
        /// The scope.
        scope: Quoted,
        /// Who reads it.
        reader: String,
    },
    /// A control or invisible character in a scope.
    #[error("the scope `{scope}` contains an invisible character")]
    #[diagnostic(
        code(connplan::config::scope_invisible),
        severity(Warning),
        help("type the scope again; it was probably pasted")
    )]
    ScopeInvisible {
        /// The scope.
        scope: Quoted,
    },
    /// A known type in capitals: to the platform that is another one, which it does not have.
    #[error("the type `{found}` has to be in lower case")]
    #[diagnostic(
        code(connplan::config::type_spelling),
        help("write `{meant}`: the platform does not have `{found}`")
    )]
    TypeSpelling {
        /// As written.
        found: Quoted,
        /// The known type.
        meant: &'static str,
    },
    /// A type that is nearly a known one.
    #[error("the type `{found}` is unknown")]
    #[diagnostic(
        code(connplan::config::type_slip),
        severity(Warning),
        help("did you mean `{meant}`? `connplan list-available` lists the types of the platform")
    )]
    TypeSlip {
        /// As written.
        found: Quoted,
        /// The known type.
        meant: &'static str,
        /// Whether a rule is for it, which then is for nothing.
        gate: bool,
    },
    /// A scope that is nearly a known one; in the settings, one that none of those known fits.
    #[error("the scope `{found}` is unknown")]
    #[diagnostic(code(connplan::config::scope_slip), severity(Warning))]
    ScopeSlip {
        /// As written.
        found: Quoted,
        /// What may be meant, and what follows.
        #[help]
        help: String,
    },
    /// What `[policy]` of `connplan.toml` forbids.
    #[error("`{rule}` of the policy in connplan.toml forbids this: {message}")]
    #[diagnostic(code(connplan::config::forbidden))]
    Forbidden {
        /// The rule's name.
        rule: &'static str,
        /// What is wrong, escaped.
        message: String,
        /// The ways out.
        #[help]
        help: String,
    },
    /// The same of a scope.
    #[error("`{rule}` of the policy in connplan.toml forbids this: {message}")]
    #[diagnostic(code(connplan::config::forbidden_scope))]
    ForbiddenScope {
        /// The rule's name.
        rule: &'static str,
        /// What is wrong, escaped.
        message: String,
        /// The ways out.
        #[help]
        help: String,
    },
    /// What `[policy]` of `connplan.toml` warns of.
    #[error("the policy in connplan.toml warns (`{rule}`): {message}")]
    #[diagnostic(code(connplan::config::policy), severity(Warning))]
    Discouraged {
        /// The rule's name.
        rule: &'static str,
        /// What is wrong, escaped.
        message: String,
    },
    /// Stripe takes no scopes.
    #[error("`stripe` takes no scopes")]
    #[diagnostic(
        code(connplan::config::stripe_scopes),
        severity(Warning),
        help("Stripe is provisioned, not authorized: the scopes have no effect; delete them")
    )]
    StripeScopes,
    /// Connection values that are not an object.
    #[error("`connection_config` is {found}, not an object")]
    #[diagnostic(
        code(connplan::config::values_not_an_object),
        help("write names and values, for example {{\"subdomain\": \"acme\"}}")
    )]
    ValuesNotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// A connection value that is not text.
    #[error("the connection value `{key}` is {found}")]
    #[diagnostic(
        code(connplan::config::value_not_a_string),
        help("write it in quotes, or take it from a variable: \"${{NAME}}\"")
    )]
    ValueNotAString {
        /// Its name.
        key: Quoted,
        /// What it is.
        found: &'static str,
    },
    /// Connection values where none are taken.
    #[error("`connection_config` has no effect for stripe")]
    #[diagnostic(
        severity(Warning),
        code(connplan::config::stripe_values),
        help("take it out: Stripe is provisioned, not connected")
    )]
    StripeValues,
    /// Two types that differ in case alone.
    #[error("`{second}` and `{first}` differ only in case")]
    #[diagnostic(
        code(connplan::config::type_case),
        severity(Warning),
        help("the platform treats them as two types; known types are in lower case")
    )]
    TypeCase {
        /// The one of the first file.
        first: ConnectorType,
        /// The one of the second file.
        second: ConnectorType,
    },
    /// A connector file in TOML.
    #[error("the official client does not see TOML files")]
    #[diagnostic(
        code(connplan::config::toml_file),
        severity(Warning),
        help(
            "its `connectors push` would remove this connector; if anybody uses that command, write this file as .jsonc"
        )
    )]
    TomlFile,
    /// A file that looks like a connector file and is not read.
    #[error("the file is not read: its name does not end like a connector file's")]
    #[diagnostic(
        code(connplan::config::ignored_file),
        severity(Warning),
        help("connector files end in .jsonc, .json or .toml, in lower case")
    )]
    IgnoredFile,
    /// A file that holds what a connector file holds, and is not named like one.
    #[error("it looks like a connector file, and is not read because of its name")]
    #[diagnostic(
        code(connplan::config::ignored_file),
        severity(Warning),
        help("connector files end in .jsonc, .json or .toml, and do not begin with a dot")
    )]
    DisguisedFile,
    /// A file that looks like a connector file, in a folder below the one that is read.
    #[error("the file is not read: it lies below the connectors folder, not in it")]
    #[diagnostic(
        code(connplan::config::below_folder),
        severity(Warning),
        help("move it up into the connectors folder")
    )]
    BelowFolder,
    /// A key of the Base44 config that is nearly one that counts here.
    #[error("the key `{key}` is unknown")]
    #[diagnostic(
        code(connplan::config::misspelt_key),
        severity(Warning),
        help("did you mean `{meant}`?")
    )]
    MisspeltKey {
        /// The key.
        key: Quoted,
        /// The key that counts.
        meant: &'static str,
    },
    /// The official client wants a name.
    #[error("the config has no `name`")]
    #[diagnostic(
        code(connplan::config::no_name),
        severity(Warning),
        help(
            "connplan does not need it, but the official client refuses such a project: add the \
             app's name"
        )
    )]
    NoName,
    /// `config.json` and `config.jsonc` side by side.
    #[error("this config is not read: `config.json` lies beside it")]
    #[diagnostic(
        code(connplan::config::two_configs),
        severity(Warning),
        help("keep one of the two; the official client also reads the .json")
    )]
    TwoConfigs,
    /// A key that `connplan.toml` doesn't have.
    #[error("`{key}` is not a setting")]
    #[diagnostic(code(connplan::config::unknown_setting), severity(Warning))]
    UnknownSetting {
        /// The key.
        key: Quoted,
        /// What was meant, or what is known.
        #[help]
        help: String,
        /// Whether it may be meant to forbid a plan or to ask for its approval.
        gate: bool,
    },
    /// `connplan.toml` in both places.
    #[error("there is a second `connplan.toml`: another lies beside the Base44 config")]
    #[diagnostic(
        code(connplan::config::two_settings),
        help("keep one of the two: connplan must not guess which policy applies")
    )]
    TwoSettings,
    /// A pipeline uses a credential that a file of the checkout brings.
    #[error(
        "this pipeline has no Base44 credential of its own, so it uses {by}, at {address}: whoever wrote \
         that file controls what connplan sees"
    )]
    #[diagnostic(
        code(connplan::config::proposal_acts),
        severity(Warning),
        help("set BASE44_ACCESS_TOKEN for this step: then such a file is ignored")
    )]
    ProposalActs {
        /// The credential, and where it stands.
        by: String,
        /// Where it is used.
        address: String,
    },
    /// The rest of a very long list.
    #[error("and {count} more like these in this file")]
    #[diagnostic(code(connplan::config::more), severity(Warning))]
    More {
        /// How many are not shown.
        count: usize,
    },
}
