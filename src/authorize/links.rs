//! Links of a run: wanted, asked for, handed out, run out.

use tokio::time::Instant;

use super::{
    Asking, AuthorizeEvent, Evidence, FailReason, Item, LinkAnswer,
    item::Offer,
    machine::UNLISTED,
    round::retry_after,
    session::{Run, Session},
    turns::{Asked, NotNow},
};
use crate::{
    apply::refusal,
    pending::PendingError,
    remote::{PutAnswer, RemoteError},
};

/// A link that ran out is replaced no more often than this without anybody asking for it.
const RENEWALS: u32 = 3;

impl Session<'_> {
    pub(super) fn want(&mut self, items: &mut [Item], wanted: &[usize], run: &mut Run<'_>) {
        for index in wanted {
            let Some(item) = items.get_mut(*index) else {
                continue;
            };
            item.left = false;
            if item.asking {
                continue;
            }
            let due = self.learn(item, &Evidence::Wanted);
            if due.ask {
                item.asking = true;
                run.queue.push_back(*index);
            }
            if due.offer {
                self.offer(item);
            }
        }
    }

    pub(super) async fn answered(
        &mut self,
        items: &mut [Item],
        index: usize,
        asked: Asked,
        run: &mut Run<'_>,
    ) -> Result<(), PendingError> {
        if let Ok(Err(error)) = &asked {
            run.quiet_until = run.quiet_until.max(Instant::now() + retry_after(error));
        }
        let Some(item) = items.get_mut(index) else {
            return Ok(());
        };
        if !std::mem::take(&mut item.asking) {
            // Left meanwhile.
            return Ok(());
        }
        item.asked += 1;
        // What cannot change by asking again is not waited for.
        item.left = matches!(
            &asked,
            Ok(Ok(PutAnswer::Refused { .. })) | Err(NotNow::Over(_))
        );
        let moved;
        let evidence = match asked {
            Err(NotNow::Moved(is)) => {
                moved = is;
                Evidence::BeforeLink(moved.as_deref())
            }
            Err(NotNow::Busy(why)) => Evidence::Answered(LinkAnswer::Refused(why.into())),
            Err(NotNow::Over(why)) => Evidence::Answered(LinkAnswer::Refused(FailReason {
                why,
                advice: Some("look at `connplan authorize --list`".to_owned()),
            })),
            Ok(answer) => Evidence::Answered(self.link_of(item, answer, run)),
        };
        let due = self.learn(item, &evidence);
        if due.offer {
            self.offer(item);
        }
        if due.tell {
            return self.tell_all(items, &[index]).await;
        }
        self.writer.flush().await
    }

    /// What the remote answered.
    fn link_of(
        &self,
        item: &mut Item,
        answer: Result<PutAnswer, RemoteError>,
        run: &mut Run<'_>,
    ) -> LinkAnswer {
        match answer {
            Ok(PutAnswer::NeedsAuthorization {
                link: Ok(link),
                connection_id: id,
            }) => {
                if !item.state.is_done() {
                    let until = Instant::now() + self.pace.link_lives;
                    item.hand_out(Offer { link, id, until });
                }
                LinkAnswer::Link
            }
            Ok(PutAnswer::NeedsAuthorization { link: Err(e), .. }) => {
                LinkAnswer::Refused(e.to_string().into())
            }
            Ok(PutAnswer::InForce | PutAnswer::AlreadyAuthorized) => {
                run.next = Instant::now();
                LinkAnswer::InForce(UNLISTED.to_owned())
            }
            Ok(PutAnswer::Refused {
                error,
                message,
                other_account,
            }) => {
                let reason = refusal(&error, message.as_deref(), other_account.as_ref());
                // Somebody else's connection has exactly these scopes: then the list shows it.
                if error == "different_user" {
                    run.next = Instant::now();
                    LinkAnswer::InForce(reason)
                } else {
                    LinkAnswer::Refused(reason.into())
                }
            }
            Err(e) => LinkAnswer::Refused(e.into()),
        }
    }

    fn offer(&mut self, item: &Item) {
        let Some(offer) = &item.offer else {
            return;
        };
        let led_to = self.writer.led_to(item.connector(), &offer.link);
        (self.events)(&AuthorizeEvent::LinkReady {
            connector: item.connector(),
            link: &offer.link,
            again: item.asked > 1,
            lives: offer.until.saturating_duration_since(Instant::now()),
            led_to: led_to.as_deref(),
        });
    }

    pub(super) async fn links_ran_out(
        &mut self,
        items: &mut [Item],
        run: &mut Run<'_>,
    ) -> Result<(), PendingError> {
        let now = Instant::now();
        let mut again = Vec::new();
        for (index, item) in items.iter_mut().enumerate() {
            if item.offer.as_ref().is_none_or(|offer| offer.until > now) {
                continue;
            }
            self.learn(item, &Evidence::LinkRanOut);
            // Confirmed meanwhile, it has no use for a link either.
            item.offer = None;
            (self.events)(&AuthorizeEvent::LinkRanOut(item.connector()));
            if self.asking != Asking::OnDemand && item.asked <= RENEWALS {
                again.push(index);
            }
        }
        self.want(items, &again, run);
        self.writer.flush().await
    }
}
