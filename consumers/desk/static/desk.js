// What the desk does in the browser beyond htmx.
import "./queue.js";
