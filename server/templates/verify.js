// Shows each time in the reader's own language and time zone; without this script it is in UTC.
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "long" });
for (const moment of document.querySelectorAll("data.moment")) {
  moment.title = moment.textContent;
  moment.textContent = format.format(new Date(Number(moment.value)));
}
