import type { Offer, Transition } from '@/api/types';

/** What can happen to an offer. Hand-over and failure are told by the order's own transitions. */
export type OfferWord = 'offered' | 'accepted' | 'declined' | 'expired' | 'withdrawn';

export type Chapter =
  | { kind: 'transition'; at: string; step: Transition }
  | { kind: 'offer'; at: string; word: OfferWord; partnerId: string; seq: number };

/**
 * All that happened to an order, oldest first: who moved it, and who was asked to carry it with what answer. At the same
 * instant the transition comes first, because it is the reason.
 */
export function tellStory(history: Transition[], offers: Offer[]): Chapter[] {
  const chapters: Chapter[] = [
    ...history.map((step): Chapter => ({ kind: 'transition', at: step.at, step })),
    ...offers.flatMap(chaptersOf),
  ];
  return chapters.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function chaptersOf({ partnerId, seq, status, offeredAt, acceptedAt, endedAt }: Offer): Chapter[] {
  const chapter = (word: OfferWord, at: string): Chapter => ({ kind: 'offer', at, word, partnerId, seq });
  const chapters = [chapter('offered', offeredAt)];
  if (acceptedAt) chapters.push(chapter('accepted', acceptedAt));
  if (endedAt && (status === 'declined' || status === 'expired' || status === 'withdrawn'))
    chapters.push(chapter(status, endedAt));
  return chapters;
}
