//! What is made of a good answer while it arrives: a page of a list, or one record.

use super::classify::{Fault, from_gateway};
use super::error::Error;
use super::pipeline::Take;
use super::transport::{Reader, Reply, shown_path};
use super::wire::{List, ListReader, NoList, OneReader};
use crate::domain::{Answer, Doubt, Page};
use crate::entities::{Entity, Record};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use url::Url;

/// A page may hold so many times as many records as were asked for, and a thousand in any case: a
/// source may have its own idea of a page, but not one that fills the memory.
const MOST_TIMES: usize = 10;
const MOST_IN_ANY_CASE: usize = 1_000;

/// A page of a list; nothing for a 404.
pub(super) struct TakeList<'a, R> {
    url: &'a Url,
    asked: u32,
    reader: ListReader<R>,
}

impl<'a, R: Record> TakeList<'a, R> {
    pub(super) fn new(url: &'a Url, classy_id: i64, asked: u32) -> TakeList<'a, R> {
        let limit = (MOST_TIMES * asked as usize).max(MOST_IN_ANY_CASE);
        TakeList {
            url,
            asked,
            reader: ListReader::new(classy_id, limit),
        }
    }
}

impl<R: Record> Reader for ListReader<R> {
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
        self.take(piece)
    }
}

impl<R: Record> Take for TakeList<'_, R> {
    type Out = Option<Page<R>>;

    fn list() -> Option<Entity> {
        Some(R::ENTITY)
    }

    fn reader(&mut self) -> Option<&mut dyn Reader> {
        Some(&mut self.reader)
    }

    fn finish(self, reply: &Reply) -> Result<Self::Out, Fault> {
        if reply.status == 404 {
            return Ok(None);
        }
        let List {
            items,
            total,
            per_page,
            last_page,
            unread_keys,
        } = self.reader.finish().map_err(|no| match no {
            NoList::Not(what) => Fault::protocol(self.url, what),
            NoList::TooMany(limit) => Fault::last(Error::TooManyRecords {
                path: shown_path(self.url),
                asked: self.asked,
                limit,
            }),
        })?;
        Ok(Some(Page {
            items,
            total,
            per_page,
            last_page,
            unread_keys,
            bytes: reply.bytes,
            ..Page::empty(reply.clocks())
        }))
    }
}

/// One record by its id.
pub(super) struct TakeOne<'a, R> {
    url: &'a Url,
    id: i64,
    classy_id: i64,
    reader: OneReader,
    record: PhantomData<fn() -> R>,
}

impl<'a, R: Record> TakeOne<'a, R> {
    pub(super) fn new(url: &'a Url, id: i64, classy_id: i64) -> TakeOne<'a, R> {
        TakeOne {
            url,
            id,
            classy_id,
            reader: OneReader::default(),
            record: PhantomData,
        }
    }
}

impl Reader for OneReader {
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
        self.take(piece)
    }
}

impl<R: Record> Take for TakeOne<'_, R> {
    type Out = Answer<R>;

    fn list() -> Option<Entity> {
        Some(R::ENTITY)
    }

    fn reader(&mut self) -> Option<&mut dyn Reader> {
        Some(&mut self.reader)
    }

    fn finish(self, reply: &Reply) -> Result<Self::Out, Fault> {
        match reply.status {
            404 if from_gateway(reply) => Err(Fault::protocol(
                self.url,
                "a 404 of the gateway, not of the API",
            )),
            404 => Ok(Answer::Gone),
            _ => match self.reader.finish(self.id, self.classy_id) {
                Ok(item) => Ok(Answer::Stored(item)),
                Err(Doubt::Unreadable(what)) => Err(Fault::protocol(self.url, &what)),
                Err(doubt) => Ok(Answer::Undecided(doubt)),
            },
        }
    }
}
