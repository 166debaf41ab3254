// What the desk does in the browser beyond htmx.
import "./looking.js";
import "./queue.js";
