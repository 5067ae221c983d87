/** The package in a browser: its tests again, where Chromium's JavaScript computes and nothing of Node is there. */
import "./border.test.ts";
import "./numbers/exponential.test.ts";
import "./log-esp.property.test.ts";
import "./partials.property.test.ts";
import "./subset-sampler.test.ts";
