// What ical.js reads in a feed, told as JSON:  node parse_feed.mjs FILE
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(process.argv[2], "utf8")));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
const said = (time) =>
  time.isDate ? time.toString() : time.toJSDate().toISOString().replace(".000", "");
const found = {};
for (const component of calendar.getAllSubcomponents("vevent")) {
  const event = new ICAL.Event(component);
  found[event.uid] = [
    said(event.startDate),
    said(event.endDate),
    event.summary,
    component.getFirstPropertyValue("status"),
    String(event.sequence),
    event.description,
  ];
}
console.log(JSON.stringify(found));
