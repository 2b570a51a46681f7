/** What WeChat gives its pages. */
/// <reference types="miniprogram-api-typings" />
