#ifndef CARAMEL_REPORT_PAGE_HPP
#define CARAMEL_REPORT_PAGE_HPP

// A report as one HTML file: it needs no network and no script, follows the reader's light or dark theme, fits phones and
// paper, and can be read out. `replace_file` (io/file.hpp) writes what `html` gives.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caramel/core/error.hpp>
#include <caramel/report/chart.hpp>
#include <caramel/report/markup.hpp>
#include <caramel/report/plot.hpp>
#include <caramel/report/table.hpp>

namespace caramel::inline CARAMEL_ABI {

/// A number to be seen from afar. `value` is text: `number_text(.7412, {.decimals = 3})`.
struct key_figure {
    std::string value = {};
    std::string caption = {};  ///< what it is
    std::string note = {};     ///< what to compare it with
};

/// What stands around the content of a page, and the few words of the page's own.
struct page_options {
    std::string subtitle = {};
    std::string footer = {};
    std::string language = "en";  ///< as in HTML's `lang`: letters, digits and hyphens
    std::string contents = "Contents";
    std::string show_numbers = "Show the numbers";
};

/// A page, filled from top to bottom; what is added belongs to the last section begun. All texts are plain text: they are
/// escaped (see `html_escape`). A call that throws has added nothing. The same calls give the same bytes.
class html_page {
   public:
    /// Throws `error` (`bad_parameter`) on an empty title or a language that is none.
    template <class = void>
    explicit html_page(std::string title, page_options options = {});

    /// Begins a section and enters it into the table of contents.
    template <class = void>
    html_page& section(std::string_view heading);
    template <class = void>
    html_page& paragraph(std::string_view text);
    /// A paragraph that stands out: what to conclude.
    template <class = void>
    html_page& conclusion(std::string_view text);
    /// Lines with bullets. Throws `error` (`empty_input`).
    template <class = void>
    html_page& list(const std::vector<std::string>& lines);
    /// Throws `error` (`empty_input`).
    template <class = void>
    html_page& key_figures(const std::vector<key_figure>& figures);
    /// Throws as `report_table::html` does.
    template <class = void>
    html_page& table(const report_table& table);
    /// A chart under its title, with a caption that says what to conclude, and its numbers as a table to fold out where they
    /// are at most 200 rows. Charts that follow each other stand side by side where there is room. Throws as `svg` does.
    template <class = void>
    html_page& chart(const line_chart& chart, std::string_view caption);
    template <class = void>
    html_page& chart(const bar_chart& chart, std::string_view caption);
    template <class = void>
    html_page& chart(const scatter_chart& chart, std::string_view caption);

    /// The whole file, in UTF-8.
    template <class = void>
    [[nodiscard]] std::string html() const;

   private:
    template <class Chart>
    html_page& add_chart(const Chart& chart, std::string_view caption);
    template <class = void>
    html_page& add(std::string piece, bool is_figure = false);

    std::string title_;
    page_options options_;
    std::vector<std::string> headings_;
    std::string body_;
    bool in_section_ = false, in_figures_ = false;
};

namespace detail {

// Colours: after Okabe & Ito (Color Universal Design, 2008), each darkened or lightened until it has a contrast of at least
// 3:1 (texts 4.5:1) against the cards of its theme. c0 is for bars that are not pointed out, c1 .. c6 for series, v1 .. v5
// for steps of a value, the highest standing out most.
inline constexpr std::string_view light_colours =
    "--page:#f4f6f8;--card:#ffffff;--ink:#17202b;--ink2:#4b5766;--rule:#d9dfe6;--grid:#e7ebf0;--axis:#8b96a3;--wash:#e8f1f8;"
    "--c0:#7d8fa3;--c1:#0068ab;--c2:#b63d00;--c3:#00946c;--c4:#a53b85;--c5:#ad8c00;--c6:#3d4552;"
    "--v1:#b7791f;--v2:#c9453f;--v3:#a8327d;--v4:#6a2c91;--v5:#26125c;";
inline constexpr std::string_view dark_colours =
    "--page:#0f141a;--card:#181f27;--ink:#eaeef3;--ink2:#aeb9c5;--rule:#323c48;--grid:#29323d;--axis:#74818f;--wash:#16293a;"
    "--c0:#74879b;--c1:#5ab4ea;--c2:#f0803c;--c3:#7ee0b4;--c4:#e08cc0;--c5:#e6c229;--c6:#d8dfe6;"
    "--v1:#8f63c9;--v2:#c1559e;--v3:#ea6a6a;--v4:#fba04a;--v5:#fde74c;";

inline constexpr std::string_view page_style = R"css(
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif}
header,main,footer{max-width:1160px;margin:0 auto;padding:0 20px}
header{padding-top:44px}
main{padding-top:24px}
h1{font-size:clamp(1.7rem,1.2rem + 2.2vw,2.6rem);line-height:1.15;letter-spacing:-.015em;margin:0;text-wrap:balance}
h1,h2,h3,p,li,dt,dd{overflow-wrap:anywhere}
.subtitle{color:var(--ink2);font-size:1.08rem;margin:.55em 0 0;max-width:46em}
nav{margin-top:26px;border-top:1px solid var(--rule);border-bottom:1px solid var(--rule);padding:10px 0}
nav ol{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px 22px}
a{color:var(--c1);text-underline-offset:3px}
nav a{text-decoration:none;display:inline-block;padding:3px 0}
nav a:hover{text-decoration:underline}
a:focus-visible,summary:focus-visible,.scroll:focus-visible{outline:3px solid var(--c1);outline-offset:2px;border-radius:4px}
main>section:first-child{margin-top:20px}
section{margin-top:52px;scroll-margin-top:12px}
h2{font-size:1.55rem;line-height:1.25;margin:0 0 .5em;letter-spacing:-.01em;text-wrap:balance}
p,ul{margin:0 0 1em;max-width:46em}
ul{padding-left:1.2em}
li{margin:.2em 0}
.conclusion{background:var(--wash);border-left:4px solid var(--c1);padding:12px 16px;border-radius:0 8px 8px 0}
.key{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:14px;margin:22px 0}
.key>div{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 18px;display:flex;flex-direction:column}
.key dt{order:2;font-weight:600}
.key dd{margin:0}
.key .big{order:1;font-size:2.1rem;line-height:1.2;font-weight:650;letter-spacing:-.02em;color:var(--c1);font-variant-numeric:tabular-nums}
.key .note{order:3;color:var(--ink2);font-size:.92rem}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:20px;margin:22px 0}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:18px 20px}
figure h3{font-size:1.08rem;line-height:1.3;margin:0 0 12px}
.said{margin-top:12px;color:var(--ink2);font-size:.96rem}
.said p{margin:0}
.plot{container-type:inline-size}
.plot svg{display:block;width:100%;height:auto;max-width:600px}
.plot .narrow{display:none}
@container (max-width:420px){.plot .wide{display:none}.plot .narrow{display:block}}
figure:last-child:nth-child(odd){grid-column:1/-1}
@media screen and (min-width:1041px){
@supports (grid-template-rows:subgrid){figure{display:grid;grid-row:span 2;grid-template-rows:subgrid;gap:0}}
figure:last-child:nth-child(odd){display:block}
figure:last-child:nth-child(odd) .shown{display:grid;grid-template-columns:minmax(0,600px) minmax(0,1fr);gap:36px}
figure:last-child:nth-child(odd) .said{align-self:center;margin-top:0;font-size:1rem}
}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:12px;margin:22px 0;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.96rem;font-variant-numeric:tabular-nums}
caption{caption-side:top;text-align:left;font-weight:600;padding:14px 18px 6px}
th,td{padding:8px 18px;text-align:left;vertical-align:top;border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--ink2);font-weight:600;font-size:.9rem;vertical-align:bottom}
tbody th{font-weight:400}
.number{text-align:right;white-space:nowrap}
thead .number{white-space:normal}
.strong th,.strong td{font-weight:700;background:var(--wash)}
details{margin-top:10px}
summary{cursor:pointer;color:var(--c1);width:fit-content}
details .scroll{margin:10px 0 0;border-radius:8px;max-height:320px;overflow:auto}
details caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);padding:0}
details th,details td{padding:4px 12px}
footer{margin-top:56px;padding-top:16px;padding-bottom:40px;color:var(--ink2);font-size:.92rem}
footer p{border-top:1px solid var(--rule);padding-top:16px;max-width:none}
svg.chart{font-family:inherit;overflow:visible}
.tick,.name,.value,.axis-title{font-size:12px;fill:var(--ink2)}
.name{fill:var(--ink)}
.value{fill:var(--ink);font-weight:600}
.axis-title{font-weight:600}
.grid,.axis,.ref,.line{fill:none}
.grid{stroke:var(--grid)}
.axis{stroke:var(--axis)}
.ref{stroke:var(--ink2);stroke-width:1.6}
.r1{stroke-dasharray:6 4}.r2{stroke-dasharray:2 4}.r3{stroke-dasharray:10 3 2 3}.r4{stroke-dasharray:1 2}
.line{stroke:var(--s);stroke-width:2.4;stroke-linejoin:round;stroke-linecap:round}
.d2{stroke-dasharray:9 6}.d3{stroke-dasharray:.1 6;stroke-width:3.2}.d4{stroke-dasharray:13 5 .1 5}.d5{stroke-dasharray:4 5}.d6{stroke-dasharray:16 8}
.mark{fill:var(--s);stroke:var(--card);stroke-width:1}
.point{fill:var(--s);stroke:var(--card);stroke-width:.6}
.hit{fill:transparent}
.spot:hover .hit{fill:var(--s);fill-opacity:.25}
.bar{fill:var(--c0)}
.bar.strong{fill:var(--c1)}
.spot:hover .bar{fill-opacity:.8}
.s1{--s:var(--c1)}.s2{--s:var(--c2)}.s3{--s:var(--c3)}.s4{--s:var(--c4)}.s5{--s:var(--c5)}.s6{--s:var(--c6)}
.v1{--s:var(--v1)}.v2{--s:var(--v2)}.v3{--s:var(--v3)}.v4{--s:var(--v4)}.v5{--s:var(--v5)}
@media screen and (max-width:1040px){.charts{grid-template-columns:minmax(0,1fr)}}
@media screen and (max-width:560px){
header,main,footer{padding-left:14px;padding-right:14px}
header{padding-top:28px}
main{padding-top:18px}
section{margin-top:40px}
nav ol{display:block}
figure{padding:14px}
.key{gap:10px}
.key>div{padding:12px 14px}
.key .big{font-size:1.7rem}
th,td{padding:7px 10px}
caption{padding:12px 10px 4px}
}
@media (forced-colors:active){.bar,.line,.mark,.point{forced-color-adjust:none}}
)css";

// Paper is white whatever the screen's theme. What folds out on a screen stays folded.
inline constexpr std::string_view print_style = R"css(
@page{margin:13mm}
body{font-size:10.5pt;background:#fff}
nav,details{display:none}
header{padding-top:0}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
section{margin-top:24px}
h2,h3{break-after:avoid}
figure,.key>div,.conclusion,tr{break-inside:avoid}
figure,.key>div,.scroll{border-color:#bbb}
figure{padding:12px 14px}
figure h3{font-size:10.5pt;margin-bottom:8px}
.said{font-size:9pt;line-height:1.35;margin-top:6px}
.charts{gap:10px;margin:12px 0}
.plot .narrow{max-width:270px}
.key .big{font-size:1.45rem}
h1{font-size:20pt}
.scroll{overflow:visible}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
)css";

template <class = void>
inline bool is_language(std::string_view text) noexcept {
    const auto is_good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; };
    return !text.empty() && text.size() <= 35 && std::all_of(text.begin(), text.end(), is_good);
}

// A box of its own for what is wider than the page, which the keyboard can scroll.
template <class = void>
inline std::string scrolling_table(const report_table& table) {
    std::string out = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"";
    append_escaped(out, table.caption.empty() ? "Table" : table.caption);
    return out += "\">" + table.html() + "</div>\n";
}

template <class = void>
inline std::string html_element(std::string_view open, std::string_view text, std::string_view close) {
    std::string out(open);
    append_escaped(out, text);
    out += close;
    return out += '\n';
}

// The numbers of a chart to fold out; nothing where they are too many to be read.
template <class Chart>
std::string folded_numbers(const Chart& chart, const page_options& options) {
    constexpr std::size_t most = 200;
    if constexpr (requires { chart.numbers(); }) {
        const report_table numbers = chart.numbers();
        if (numbers.rows.size() <= most)
            return "<details><summary>" + html_escape(options.show_numbers) + "</summary>\n" + scrolling_table(numbers) + "</details>";
    }
    return {};
}

// A drawing for wide places and one for narrow ones, of which the style sheet shows one: so letters keep their size.
template <class = void>
inline std::string in_class(std::string drawing, std::string_view name) {
    constexpr std::string_view before = "<svg class=\"";
    drawing.insert(before.size(), std::string(name) + ' ');
    return drawing;
}

}  // namespace detail

template <class>
inline html_page::html_page(std::string title, page_options options) : title_(std::move(title)), options_(std::move(options)) {
    require(!title_.empty(), errc::bad_parameter, "html_page: the title is empty");
    require(detail::is_language(options_.language), errc::bad_parameter, "html_page: language must be letters, digits and hyphens, as in \"en\"");
}

template <class>
inline html_page& html_page::add(std::string piece, bool is_figure) {
    if (in_figures_ && !is_figure) piece.insert(0, "</div>\n");
    if (!in_figures_ && is_figure) piece.insert(0, "<div class=\"charts\">\n");
    body_ += piece;
    in_figures_ = is_figure;
    return *this;
}

template <class>
inline html_page& html_page::section(std::string_view heading) {
    const std::string id = detail::message("section-", headings_.size() + 1);
    std::string piece = in_section_ ? "</section>\n" : "", entry(heading);
    piece += "<section id=\"" + id + "\" aria-labelledby=\"" + id + "-heading\">\n" + detail::html_element("<h2 id=\"" + id + "-heading\">", heading, "</h2>");
    headings_.reserve(headings_.size() + 1);  // so that nothing throws once the page has grown
    add(std::move(piece));
    headings_.push_back(std::move(entry));
    in_section_ = true;
    return *this;
}

template <class>
inline html_page& html_page::paragraph(std::string_view text) { return add(detail::html_element("<p>", text, "</p>")); }

template <class>
inline html_page& html_page::conclusion(std::string_view text) { return add(detail::html_element("<p class=\"conclusion\">", text, "</p>")); }

template <class>
inline html_page& html_page::list(const std::vector<std::string>& lines) {
    require(!lines.empty(), errc::empty_input, "html_page: a list without lines");
    std::string piece = "<ul>\n";
    for (const auto& line : lines) piece += detail::html_element("<li>", line, "</li>");
    return add(piece + "</ul>\n");
}

template <class>
inline html_page& html_page::key_figures(const std::vector<key_figure>& figures) {
    require(!figures.empty(), errc::empty_input, "html_page: no key figures");
    std::string piece = "<dl class=\"key\">\n";
    for (const auto& figure : figures) {
        piece += "<div>" + detail::html_element("<dt>", figure.caption, "</dt>") + detail::html_element("<dd class=\"big\">", figure.value, "</dd>");
        if (!figure.note.empty()) piece += detail::html_element("<dd class=\"note\">", figure.note, "</dd>");
        piece += "</div>\n";
    }
    return add(piece + "</dl>\n");
}

template <class>
inline html_page& html_page::table(const report_table& table) { return add(detail::scrolling_table(table)); }

template <class Chart>
html_page& html_page::add_chart(const Chart& chart, std::string_view caption) {
    constexpr double wide = 480, narrow = 320;
    std::string piece = "<figure>\n<figcaption>";
    if (!chart.title.empty()) piece += "<h3>" + html_escape(chart.title) + "</h3>";
    piece += "</figcaption>\n<div class=\"shown\">\n<div class=\"plot\">" + detail::in_class(chart.svg(wide), "wide") + "\n" +
             detail::in_class(chart.svg(narrow), "narrow") + "</div>\n<div class=\"said\">";
    if (!caption.empty()) piece += detail::html_element("<p>", caption, "</p>");
    piece += detail::folded_numbers(chart, options_) + "</div>\n</div>\n</figure>\n";
    return add(std::move(piece), true);
}

template <class>
inline html_page& html_page::chart(const line_chart& chart, std::string_view caption) { return add_chart(chart, caption); }
template <class>
inline html_page& html_page::chart(const bar_chart& chart, std::string_view caption) { return add_chart(chart, caption); }
template <class>
inline html_page& html_page::chart(const scatter_chart& chart, std::string_view caption) { return add_chart(chart, caption); }

template <class>
inline std::string html_page::html() const {
    std::string out = "<!DOCTYPE html>\n<html lang=\"" + options_.language + "\">\n<head>\n<meta charset=\"utf-8\"/>\n";
    // Nothing is to be fetched, and nothing run, whatever texts stand in the page.
    out +=
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light dark\"/>\n";
    out += detail::html_element("<title>", title_, "</title>");
    out += "<link rel=\"icon\" href=\"data:,\"/>\n<style>\n";
    detail::draw_parts(out, ":root{color-scheme:light dark;", detail::light_colours, "}\n@media screen and (prefers-color-scheme:dark){:root{",
                       detail::dark_colours, "}}", detail::page_style, "@media print{", detail::print_style, "}\n</style>\n</head>\n<body>\n<header>\n");
    out += detail::html_element("<h1>", title_, "</h1>");
    if (!options_.subtitle.empty()) out += detail::html_element("<p class=\"subtitle\">", options_.subtitle, "</p>");
    if (headings_.size() > 1) {
        out += "<nav aria-label=\"" + html_escape(options_.contents) + "\"><ol>\n";
        for (std::size_t i = 0; i < headings_.size(); ++i)
            out += detail::html_element(detail::message("<li><a href=\"#section-", i + 1, "\">"), headings_[i], "</a></li>");
        out += "</ol></nav>\n";
    }
    out += "</header>\n<main>\n" + body_;
    if (in_figures_) out += "</div>\n";
    if (in_section_) out += "</section>\n";
    out += "</main>\n";
    if (!options_.footer.empty()) out += "<footer>" + detail::html_element("<p>", options_.footer, "</p>") + "</footer>\n";
    return out + "</body>\n</html>\n";
}

}  // namespace caramel::inline CARAMEL_ABI

#endif
