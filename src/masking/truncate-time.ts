// Dates and times cut to the start of a period, with the calendar of PostgreSQL (proleptic Gregorian) and ISO's weeks.
import type { Mask, MaskedColumn } from "./mask.ts";
import { nothing } from "./mask.ts";
import { Scratch } from "./scratch.ts";

export const PERIODS = ["decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second"] as const;
export type Period = (typeof PERIODS)[number];

const DATE = 1082;
const TIME = 1083;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
const TIMETZ = 1266;

export const isTime = ({ typeOid }: MaskedColumn): boolean =>
  [DATE, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ].includes(typeOid);

/** Seconds of the periods that are cut within a day. */
const seconds = new Map<Period, number>([
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
]);
const DAY = 86_400;
const MICROSECONDS = 1_000_000;

/**
 * NULL where the type has nothing finer than the period (a date to the day), so that the mask would hide nothing, or nothing as coarse (a time
 * to the year); for years before Christ, whose first may lie before the type's; for text that is not of DateStyle ISO. Infinities stay.
 * With a time zone the periods are those of UTC, in both formats.
 */
export function cutTimes({ typeOid, format }: MaskedColumn, to: Period): Mask {
  const within = seconds.get(to);
  if (typeOid === DATE)
    return within !== undefined || to === "day" ? nothing : format === 1 ? binaryDate(to) : textDate(to);
  if (typeOid === TIME || typeOid === TIMETZ)
    return within === undefined ? nothing : format === 1 ? binaryTime(typeOid, within) : textTime(typeOid, within);
  return format === 1 ? binaryTimestamp(to) : textTimestamp(typeOid === TIMESTAMPTZ, to);
}

/** The day's number from 2000-01-01, the epoch of the binary forms. Howard Hinnant's days_from_civil, for years from 1. */
function dayOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 730_425;
}

let year = 0;
let month = 0;
let day = 0;
/** Sets year, month and day of a day's number. */
function setDate(number: number): void {
  const shifted = number + 730_425;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const y = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * y + Math.floor(y / 4) - Math.floor(y / 100));
  const m = Math.floor((5 * ofYear + 2) / 153);
  day = ofYear - Math.floor((153 * m + 2) / 5) + 1;
  month = m < 10 ? m + 3 : m - 9;
  year = y + era * 400 + (month <= 2 ? 1 : 0);
}

/** 0001-01-01, a Monday. */
const FIRST_DAY = dayOf(1, 1, 1);

/** Cuts year, month and day (of a year from 1) to a period of days. */
function cutDate(to: Period): void {
  switch (to) {
    case "decade":
      // The decade of the years 1 to 9 begins in the year 0, which there is not.
      year = Math.max(year - (year % 10), 1);
      month = 1;
      day = 1;
      break;
    case "year":
      month = 1;
      day = 1;
      break;
    case "quarter":
      month -= (month - 1) % 3;
      day = 1;
      break;
    case "month":
      day = 1;
      break;
    case "week": {
      const number = dayOf(year, month, day);
      setDate(number - ((number - FIRST_DAY) % 7));
    }
  }
}

function binaryDate(to: Period): Mask {
  const target = Buffer.alloc(4);
  return (source, start, end) => {
    if (end - start !== 4) return null;
    const number = source.readInt32BE(start);
    if (number === 0x7fffffff || number === -0x80000000) return source.subarray(start, end);
    if (number < FIRST_DAY) return null;
    setDate(number);
    cutDate(to);
    target.writeInt32BE(dayOf(year, month, day), 0);
    return target;
  };
}

const MICROSECONDS_OF_DAY = BigInt(DAY * MICROSECONDS);

function binaryTimestamp(to: Period): Mask {
  const target = Buffer.alloc(8);
  const within = seconds.get(to);
  const unit = BigInt((within ?? DAY) * MICROSECONDS);
  const first = BigInt(FIRST_DAY) * MICROSECONDS_OF_DAY;
  return (source, start, end) => {
    if (end - start !== 8) return null;
    const value = source.readBigInt64BE(start);
    if (value === 0x7fffffffffffffffn || value === -0x8000000000000000n) return source.subarray(start, end);
    if (value < first) return null;
    // Counted from the first day, so that the remainder is never negative.
    const cut = value - ((value - first) % unit);
    if (within !== undefined || to === "day") target.writeBigInt64BE(cut, 0);
    else {
      setDate(Number((cut - first) / MICROSECONDS_OF_DAY) + FIRST_DAY);
      cutDate(to);
      target.writeBigInt64BE(BigInt(dayOf(year, month, day)) * MICROSECONDS_OF_DAY, 0);
    }
    return target;
  };
}

function binaryTime(typeOid: number, within: number): Mask {
  const bytes = typeOid === TIME ? 8 : 12;
  const target = Buffer.alloc(bytes);
  const unit = within * MICROSECONDS;
  return (source, start, end) => {
    if (end - start !== bytes) return null;
    const high = source.readUInt32BE(start);
    const value = high * 2 ** 32 + source.readUInt32BE(start + 4);
    if (value > DAY * MICROSECONDS) return null;
    const cut = value - (value % unit);
    target.writeUInt32BE(Math.floor(cut / 2 ** 32), 0);
    target.writeUInt32BE(cut % 2 ** 32, 4);
    // The zone stays.
    source.copy(target, 8, start + 8, end);
    return target;
  };
}

/** Reads at most `most` and at least `least` digits at `at`; -1 where there are fewer or more. Moves `at` behind them. */
let at = 0;
function digits(source: Buffer, end: number, least: number, most: number): number {
  const from = at;
  let value = 0;
  while (at < end) {
    const digit = source[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  return at - from < least || at - from > most ? -1 : value;
}

/** Reads YYYY-MM-DD; false for another form. */
function readDate(source: Buffer, end: number): boolean {
  year = digits(source, end, 4, 7);
  if (year < 1 || source[at++] !== 0x2d) return false;
  month = digits(source, end, 2, 2);
  if (month < 1 || month > 12 || source[at++] !== 0x2d) return false;
  day = digits(source, end, 2, 2);
  return day >= 1 && day <= 31;
}

/** Reads HH:MM:SS with or without a fraction, which is left out; -1 for another form. */
function readTime(source: Buffer, end: number): number {
  const hour = digits(source, end, 2, 2);
  if (hour < 0 || source[at++] !== 0x3a) return -1;
  const minute = digits(source, end, 2, 2);
  if (minute < 0 || minute > 59 || source[at++] !== 0x3a) return -1;
  const second = digits(source, end, 2, 2);
  if (second < 0 || second > 60) return -1;
  if (at < end && source[at] === 0x2e) {
    at++;
    if (digits(source, end, 1, 6) < 0) return -1;
  }
  return hour * 3600 + minute * 60 + second;
}

/** Reads +HH, +HH:MM or +HH:MM:SS as seconds east; NaN for another form. */
function readZone(source: Buffer, end: number): number {
  const sign = source[at++];
  if (sign !== 0x2b && sign !== 0x2d) return Number.NaN;
  let value = 0;
  for (const unit of [3600, 60, 1]) {
    if (unit < 3600) {
      if (at >= end) break;
      if (source[at++] !== 0x3a) return Number.NaN;
    }
    const part = digits(source, end, 2, 2);
    if (part < 0) return Number.NaN;
    value += part * unit;
  }
  return sign === 0x2d ? -value : value;
}

/** Writes a number with at least two digits before `end`, and gives where it begins. */
function write(target: Buffer, end: number, value: number, width: number): number {
  let rest = value;
  for (let i = end - 1; i >= end - width; i--) {
    target[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end - width;
}

function writeDate(target: Buffer, width: number): void {
  write(target, width, year, width);
  target[width] = 0x2d;
  write(target, width + 3, month, 2);
  target[width + 3] = 0x2d;
  write(target, width + 6, day, 2);
}

function writeTime(target: Buffer, from: number, value: number): void {
  write(target, from + 2, Math.floor(value / 3600), 2);
  target[from + 2] = 0x3a;
  write(target, from + 5, Math.floor(value / 60) % 60, 2);
  target[from + 5] = 0x3a;
  write(target, from + 8, value % 60, 2);
}

const yearWidth = (): number => (year > 9999 ? String(year).length : 4);

/** "infinity", "-infinity". */
const isInfinite = (source: Buffer, start: number, end: number): boolean =>
  end - start <= 9 && /^-?infinity$/.test(source.toString("latin1", start, end));

function textDate(to: Period): Mask {
  const scratch = new Scratch();
  return (source, start, end) => {
    at = start;
    if (!readDate(source, end) || at !== end)
      return isInfinite(source, start, end) ? source.subarray(start, end) : null;
    cutDate(to);
    const width = yearWidth();
    const target = scratch.of(width + 6);
    writeDate(target, width);
    return target;
  };
}

function textTimestamp(zoned: boolean, to: Period): Mask {
  const scratch = new Scratch();
  const within = seconds.get(to);
  return (source, start, end) => {
    at = start;
    if (!readDate(source, end) || source[at++] !== 0x20)
      return isInfinite(source, start, end) ? source.subarray(start, end) : null;
    let time = readTime(source, end);
    if (time < 0) return null;
    if (zoned) {
      const east = readZone(source, end);
      if (Number.isNaN(east)) return null;
      time -= east;
      const days = Math.floor(time / DAY);
      if (days !== 0) {
        const number = dayOf(year, month, day) + days;
        if (number < FIRST_DAY) return null;
        setDate(number);
        time -= days * DAY;
      }
    }
    if (at !== end) return null;
    if (within === undefined) {
      cutDate(to);
      time = 0;
    } else time -= time % within;
    const width = yearWidth();
    const target = scratch.of(width + 15 + (zoned ? 3 : 0));
    writeDate(target, width);
    target[width + 6] = 0x20;
    writeTime(target, width + 7, time);
    if (zoned) target.write("+00", width + 15, "latin1");
    return target;
  };
}

function textTime(typeOid: number, within: number): Mask {
  const scratch = new Scratch();
  return (source, start, end) => {
    at = start;
    const time = readTime(source, end);
    if (time < 0) return null;
    const zone = at;
    if (typeOid === TIMETZ && Number.isNaN(readZone(source, end))) return null;
    if (at !== end) return null;
    const target = scratch.of(8 + end - zone);
    writeTime(target, 0, time - (time % within));
    source.copy(target, 8, zone, end);
    return target;
  };
}
