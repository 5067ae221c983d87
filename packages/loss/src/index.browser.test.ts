/** The package in a browser: its tests again, where Chromium's JavaScript computes and nothing of Node is there. */
import "./accuracy.property.test.ts";
import "./limit.property.test.ts";
import "./loss.property.test.ts";
import "./scale.property.test.ts";
import "./topk-accuracy.property.test.ts";
