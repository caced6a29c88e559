/** Next.js runs this before the page comes alive: the page view is the first thing that is counted. */
import { tracker } from "@/lib/tracker";

tracker();
