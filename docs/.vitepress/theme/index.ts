/** The default theme with the system's fonts, and the style of formulas. */
import "./width.css";
import "katex/dist/katex.min.css";
import theme from "vitepress/theme-without-fonts";

export default theme;
