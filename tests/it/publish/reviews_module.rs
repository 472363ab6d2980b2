//! What a request brings from a submodule, the forge's lists of the request do not tell of.

use super::{
    heads::{Shop, shops_by_turns},
    reviews::GOOD,
};
use crate::{
    git::repository::git,
    support::{Output, reads},
};

/// Those whose requests go into the branch `main`.
fn shops() -> impl Iterator<Item = Shop> {
    shops_by_turns(1).into_iter().map(|shop| Shop {
        project: shop
            .project
            .var("GITHUB_BASE_REF", if shop.github { "main" } else { "" })
            .var("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ..shop
    })
}

impl Shop {
    /// Puts the project into a submodule, on the branch `main` of what is cloned.
    fn in_module(&self) {
        let root = self.project.root();
        let shop = root.join("apps/shop");
        std::fs::create_dir_all(&shop).unwrap();
        std::fs::rename(root.join("base44"), shop.join("base44")).unwrap();
        self.with_origin(&shop);
        self.committed_within();
        git(&root, &["push", "-q", "origin", "main"]);
    }

    /// Makes repositories of this folder and of what is around it, which gets a remote.
    fn with_origin(&self, inner: &std::path::Path) {
        let root = self.project.root();
        git(inner, &["init", "-q"]);
        git(&root, &["init", "-q"]);
        let origin = self.project.path("../origin.git").display().to_string();
        git(&root, &["init", "-q", "--bare", &origin]);
        git(&root, &["remote", "add", "origin", &origin]);
    }

    /// Commits what the project is, and that in the repository around it.
    fn committed_within(&self) {
        let root = self.project.root();
        let shop = root.join("apps/shop");
        git(&shop, &["add", "-A"]);
        git(&shop, &["commit", "-qm", ".", "--allow-empty"]);
        let head = git(&shop, &["rev-parse", "HEAD"]);
        let entry = format!("160000,{head},apps/shop");
        git(&root, &["update-index", "--add", "--cacheinfo", &entry]);
        git(&root, &["commit", "-qm", "."]);
    }

    fn within(&self, args: &[&str]) -> Output {
        self.run('a', 1, &[&["-C", "apps/shop"], args].concat())
    }

    /// Planned, reviewed by who may, and applied.
    fn applied_within(&self) -> Output {
        let plan = "../../../x.plan";
        self.head('a', false);
        self.within(&["plan", "--out", plan]).expect(0);
        self.within(&["comment", plan]).expect(0);
        self.review(&GOOD);
        self.within(&["apply", plan, "--approved-in-review"])
    }
}

#[test]
fn a_review_is_none_of_commits_that_a_request_brings_from_a_submodule() {
    for shop in shops() {
        shop.in_module();
        // It leaves the submodule alone.
        let root = shop.project.root();
        git(&root, &["commit", "-qm", "README", "--allow-empty"]);
        shop.applied_within().expect(0);

        let scopes = r#"{ "type": "slack", "scopes": ["chat:write", "users:read"] }"#;
        shop.project
            .write("apps/shop/base44/connectors/slack.jsonc", scopes);
        shop.committed_within();
        let refused = shop.applied_within();
        insta::allow_duplicates! {
            reads!(refused, @r#"
            exit 3: connplan -C apps/shop apply ../../../x.plan --approved-in-review
            --- stderr
            error: the review does not approve this plan: the change brings other commits of the submodule apps/shop, and the forge does not say who made and pushed those: whoever did could approve the plan
              help: ask somebody to sign the plan instead: `connplan -C apps/shop approve`, with `require = "signature"` or `"either"` in [approval], and apply it without `--approved-in-review`
              code: connplan::approval::review
            "#);
        }
        assert_eq!(shop.platform.writes().len(), 1);
    }
}

/// A connector file may be a link into one, and then the project itself lies in none; what is there may be a link
/// out of it again.
#[test]
fn a_review_is_none_of_what_a_link_leads_to_in_a_submodule() {
    let wants = |scopes: &str| format!(r#"{{ "type": "slack", "scopes": [{scopes}] }}"#);
    let (less, more) = (
        wants("\"chat:write\""),
        wants("\"chat:write\", \"users:read\""),
    );
    let both = [false, true].into_iter();
    for (leads_on, shop) in both.flat_map(|on| shops().map(move |shop| (on, shop))) {
        let root = shop.project.root();
        let shared = root.join("apps/shop");
        std::fs::create_dir_all(&shared).unwrap();
        let file = "slack.jsonc";
        let has = |text: &str| {
            let file = shared.join(file);
            let _ = std::fs::remove_file(&file);
            if leads_on {
                let variant = format!("variants/{}.jsonc", text.len());
                std::os::unix::fs::symlink(format!("../../{variant}"), file).unwrap();
            } else {
                std::fs::write(file, text).unwrap();
            }
        };
        for text in [&less, &more] {
            shop.project
                .write(&format!("variants/{}.jsonc", text.len()), text);
        }
        has(&less);
        let connector = root.join("base44/connectors").join(file);
        std::fs::remove_file(&connector).unwrap();
        let led = std::path::Path::new("../../apps/shop").join(file);
        std::os::unix::fs::symlink(led, connector).unwrap();
        shop.with_origin(&shared);
        git(&root, &["add", "base44", "variants"]);
        shop.committed_within();
        git(&root, &["push", "-q", "origin", "main"]);
        has(&more);
        shop.committed_within();
        shop.head('a', false);
        let run = |args: &[&str]| shop.run('a', 1, args);
        run(&["plan", "--out", "../x.plan"]).expect(0);
        run(&["comment", "../x.plan"]).expect(0);
        shop.review(&GOOD);
        run(&["apply", "../x.plan", "--approved-in-review"])
            .expect(3)
            .tells("the change brings other commits of the submodule apps/shop");
        assert_eq!(shop.platform.writes(), [] as [&str; 0]);
    }
}
